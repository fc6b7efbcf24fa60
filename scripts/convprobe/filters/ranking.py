"""Which images does every filter of the network answer to? One pass over the images."""

import numpy as np
import pandas as pd
import torch

from convprobe.filters.activations import BATCH
from convprobe.filters.top_patches import TOP_IMAGES_COLUMNS, clipped_box
from convprobe.job import runtime
from convprobe.network import receptive_field
from convprobe.network.batches import in_batches
from convprobe.network.layers import as_input

LOW = 2**32  # keys hold a response in their upper half, an image in the lower


@torch.inference_mode()
def top_images(network, images, top, job=runtime.IDLE, batch=BATCH):
    """The images that each filter of each layer answers to most, and what its peak sees there.

    The memory it takes does not grow with the number of images.

    Args:
        network: in evaluation mode, on the device where it is to run.
        images: image_file.Images, fewer than 2³².
        top: how many images a filter.
        batch: images at a time; doesn't change the result.

    Returns:
        pandas.DataFrame with the columns, ties and peaks of top_patches.top_images.
    """
    found, device = {}, network.mean.device

    def best_by_layer(rows):
        pixels = torch.from_numpy(images.pixels[rows.start : rows.stop]).to(device)
        return {
            layer: _best(maps, rows.start, top)
            for layer, maps in network.pooled_maps(as_input(pixels))
        }

    rows = range(len(images.labels))
    for best in in_batches(best_by_layer, rows, batch, "images", job):
        found = (
            {layer: _merged(found[layer], best[layer], top) for layer in best} if found else best
        )
    fields = receptive_field.of_pooled_maps(network.settings, network.side)
    sides = receptive_field.pooled_sides(network.settings, network.side)
    layers = [
        _table(layer, *best, images, fields[layer], sides[layer]) for layer, best in found.items()
    ]
    return pd.concat(layers, ignore_index=True)


def responses(maps):
    """Frobenius norm of each map: float32 (image, channel) of float32 (image, channel, y, x)."""
    return maps.double().square_().sum(dim=(2, 3)).sqrt_().float()


def _best(maps, done, top):
    """Keys and peaks, int64 (channel, rank) each, of the images of a batch that the filters answer to most.

    Responses are not negative, so the bits of one, read as a whole number, order as it does; and of
    equal responses the key of the lower image is higher.
    """
    images = torch.arange(done, done + len(maps), device=maps.device)
    keys = responses(maps).view(torch.int32).long() * LOW + (LOW - 1 - images)[:, None]
    keys, rows = keys.t().topk(min(top, len(maps)), dim=1)
    channels = torch.arange(len(keys), device=maps.device)[:, None]
    return keys, maps[rows, channels].flatten(2).argmax(2)


def _merged(first, second, top):
    """The best of two, each keys and peaks."""
    keys, peaks = (torch.cat(pair, dim=1) for pair in zip(first, second, strict=True))
    keys, places = keys.topk(min(top, keys.shape[1]), dim=1)
    return keys, peaks.gather(1, places)


def _table(layer, keys, peaks, images, field, side):
    """The rows of one layer, a filter after the other."""
    keys, peaks = keys.cpu().numpy(), peaks.cpu().numpy().ravel()
    rows = (LOW - 1 - keys % LOW).ravel()
    channel, rank = np.indices(keys.shape).reshape(2, -1)
    peak_y, peak_x = np.divmod(peaks, side)
    response = (keys // LOW).astype(np.int32).view(np.float32).ravel()
    classes = np.array(images.classes)[images.labels[rows]]
    box = clipped_box(field, peak_y, peak_x)
    columns = (
        layer,
        channel,
        rank + 1,
        images.indices[rows],
        classes,
        response,
        peak_y,
        peak_x,
        *box,
    )
    return pd.DataFrame(dict(zip(TOP_IMAGES_COLUMNS, columns, strict=True)))

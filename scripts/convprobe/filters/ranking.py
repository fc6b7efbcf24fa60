"""Which images does every filter of the network answer to? One pass over the images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from convprobe.dataset.image_file import Images
from convprobe.filters.activations import BATCH
from convprobe.filters.top_patches import ROUNDING, TOP_IMAGES_COLUMNS, clipped_box
from convprobe.job import runtime
from convprobe.network import filter_layers
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution
from convprobe.network.filter_layers import FilterLayer
from convprobe.network.layers import as_input

LOW = 2**32  # a key holds a response in its upper half, an image in the lower


@dataclass(frozen=True)
class Best:
    """The images that each filter of a layer answers to most, the highest response first.

    Attributes:
        keys: each a response and an image as one number, see `_keys`.
        peaks: of the map of that image, counted in row order.
    """

    keys: Int64[Tensor, "channel rank"]
    peaks: Int64[Tensor, "channel rank"]


@torch.inference_mode()
def top_images(
    network: Classifier,
    images: Images,
    top: int,
    job: runtime.Job = runtime.IDLE,
    batch: int = BATCH,
) -> pd.DataFrame:
    """The images that each filter of each layer answers to most, and what its peak sees there.

    The memory it takes does not grow with the number of images.

    Args:
        network: in evaluation mode, on the device where it is to run.
        images: fewer than 2³².
        top: how many images per filter.
        batch: images at a time, at most; doesn't change the result.

    Returns:
        the columns, ties and peaks of top_patches.top_images.
    """
    device = network.device
    layers = filter_layers.of_graph(network.graph)
    names = {layer.map: name for name, layer in layers.items()}
    execution = Execution(network.graph, network)

    def best_by_layer(rows: range) -> dict[str, Best]:
        pixels = torch.from_numpy(images.pixels[rows.start : rows.stop]).to(device)
        best = {}
        for node, maps in execution.each(network.normalised(as_input(pixels)), names):
            best[names[node]] = _best(maps, rows.start, top)
        return best

    by_layer = {}
    size = fitting(network.graph, batch)
    for best in in_batches(best_by_layer, range(len(images.labels)), size, "images", job):
        for layer, of_batch in best.items():
            by_layer[layer] = (
                _merged(by_layer[layer], of_batch, top) if layer in by_layer else of_batch
            )
    tables = [_table(layer, by_layer[name], images) for name, layer in layers.items()]
    return pd.concat(tables, ignore_index=True)


def responses(
    maps: Float[Tensor, "image channel y x"],
) -> Float32[Tensor, "image channel"]:
    """The Frobenius norm of each map."""
    return maps.double().square().sum(dim=(2, 3)).sqrt_().float()


def _best(maps: Float[Tensor, "image channel y x"], first: int, top: int) -> Best:
    """The images of a batch that the filters answer to most.

    Args:
        first: row of the batch's first image among all.
    """
    images = torch.arange(first, first + len(maps), device=maps.device)
    keys, rows = _keys(responses(maps), images).t().topk(min(top, len(maps)), dim=1)
    channels = torch.arange(len(keys), device=maps.device)[:, None]
    units = maps[rows, channels].flatten(2)
    highest = units.amax(2, keepdim=True)
    is_highest = units >= highest - ROUNDING * highest.abs()
    return Best(keys, is_highest.int().argmax(2))


def _keys(
    response: Float32[Tensor, "image channel"], images: Int64[Tensor, " image"]
) -> Int64[Tensor, "image channel"]:
    """Whole numbers in the order of the responses; of equal ones the lower image has the higher.

    A response is not negative: its bits, read as a whole number, have its order.
    """
    bits = response.view(torch.int32).long()
    return bits * LOW + (LOW - 1 - images)[:, None]


def _merged(first: Best, second: Best, top: int) -> Best:
    keys = torch.cat([first.keys, second.keys], dim=1)
    peaks = torch.cat([first.peaks, second.peaks], dim=1)
    keys, places = keys.topk(min(top, keys.shape[1]), dim=1)
    return Best(keys, peaks.gather(1, places))


def _table(layer: FilterLayer, best: Best, images: Images) -> pd.DataFrame:
    """The rows of one layer, one filter after the other."""
    keys = best.keys.cpu().numpy()
    channel, rank = np.indices(keys.shape).reshape(2, -1)
    keys = keys.ravel()
    rows = LOW - 1 - keys % LOW
    response = (keys // LOW).astype(np.int32).view(np.float32)
    peak_y, peak_x = np.divmod(best.peaks.cpu().numpy().ravel(), layer.shape[1])
    columns = {
        "layer": layer.name,
        "channel": channel,
        "rank": rank + 1,
        "image": images.indices[rows],
        "class": np.array(images.classes)[images.labels[rows]],
        "response": response,
        "peak_y": peak_y,
        "peak_x": peak_x,
        **clipped_box(layer.fields, peak_y, peak_x)._asdict(),
    }
    return pd.DataFrame(columns, columns=TOP_IMAGES_COLUMNS)

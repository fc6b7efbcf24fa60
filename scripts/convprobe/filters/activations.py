"""What do filters answer to? Their maps and responses."""

import h5py
import numpy as np
import torch

from convprobe.job import runtime
from convprobe.network.batches import in_batches
from convprobe.network.layers import as_input
from convprobe.network.receptive_field import split_name
from convprobe.store import hdf5

BATCH = 250  # images at a time; bounds the memory, doesn't change the result
CHUNK = 64  # images a chunk: written in order, read by filter or by image


@torch.inference_mode()
def record(network, images, chosen, job=runtime.IDLE, batch=BATCH):
    """Yield, batch by batch, the maps of chosen filters after ReLU and pooling.

    Args:
        network: in evaluation mode, on the device where it is to run.
        images: image_file.Images.
        chosen: names of filters, `conv2/400`.

    Yields:
        dict by name of float32 (image, y, x).
    """
    device = next(network.parameters()).device
    wanted = [(name, *split_name(name)) for name in chosen]
    deepest = max((layer for _, layer, _ in wanted), key=network.convolutions.index)

    def chosen_maps(pixels):
        found = {}
        for layer, maps in network.pooled_maps(as_input(pixels.to(device))):
            found |= {
                name: maps[:, channel].cpu().numpy() for name, on, channel in wanted if on == layer
            }
            if layer == deepest:
                return found

    pixels = torch.from_numpy(images.pixels)
    yield from in_batches(chosen_maps, pixels, batch, "images", job)


def response(maps):
    """Frobenius norm of each map: float32 (image) of float32 (image, y, x)."""
    return np.sqrt(np.square(maps, dtype=np.float64).sum(axis=(1, 2))).astype(np.float32)


def write(path, batches, chosen, checkpoint_sha256):
    """Write the maps and responses of chosen filters as they come from `record`."""
    with hdf5.create(path) as file:
        file.attrs["checkpoint_sha256"] = checkpoint_sha256
        for found in batches:
            for name in chosen:
                maps = np.ascontiguousarray(found[name])
                _append(file, f"{name}/maps", maps)
                _append(file, f"{name}/response", response(maps))
        for name in chosen:
            _name_axes(file[name])


def _name_axes(group: h5py.Group) -> None:
    """Of a filter's maps and responses, once all images are there."""
    maps = group["maps"]
    hdf5.dimension(group, "image", np.arange(len(maps)))
    hdf5.places(group, maps.shape[1], units=None)
    hdf5.attach(group, maps, ("image", "y", "x"))
    hdf5.attach(group, group["response"], ("image",))


def _append(file, name, rows):
    if name not in file:
        shape = (0, *rows.shape[1:])
        chunks = (CHUNK, *rows.shape[1:])
        file.create_dataset(
            name, shape, rows.dtype, maxshape=(None, *shape[1:]), chunks=chunks, compression="lzf"
        )
    stored = file[name]
    stored.resize(len(stored) + len(rows), axis=0)
    stored[-len(rows) :] = rows

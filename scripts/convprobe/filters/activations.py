"""What do filters answer to? Their maps and responses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
import torch
from jaxtyping import Float32, Shaped, UInt8
from torch import Tensor

from convprobe.dataset.image_file import Images
from convprobe.filters.kernels import Kernels, store
from convprobe.job import runtime
from convprobe.network import filter_layers
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.execution import Execution
from convprobe.network.filter_layers import split_name
from convprobe.network.layers import as_input
from convprobe.store import hdf5

BATCH = 250  # images at a time; bounds the memory, doesn't change the result
CHUNK = 64  # images in a chunk of the file: written in order, read by filter or by image

FilterMaps = dict[str, Float32[np.ndarray, "image _y _x"]]  # by name of the filter, `conv2/400`


def record(
    network: Classifier,
    images: Images,
    chosen: Sequence[str],
    job: runtime.Job = runtime.IDLE,
    batch: int = BATCH,
) -> Iterator[FilterMaps]:
    """Yield, batch by batch, the maps of chosen filters, see filter_layers.

    Args:
        network: in evaluation mode, on the device where it is to run.
        chosen: names of filters.
        batch: images at a time, at most; doesn't change the result.
    """
    device = network.device
    layers = filter_layers.of_graph(network.graph)
    execution = Execution(network.graph, network)
    filters = defaultdict(list)
    for name in chosen:
        layer, channel = split_name(name)
        filters[layers[layer].map].append((name, channel))

    @torch.inference_mode()
    def chosen_maps(pixels: UInt8[Tensor, "image y x channel"]) -> FilterMaps:
        by_filter = {}
        inputs = network.normalised(as_input(pixels.to(device)))
        for node, maps in execution.each(inputs, filters):
            for name, channel in filters[node]:
                by_filter[name] = maps[:, channel].float().cpu().numpy()
        return by_filter

    pixels = torch.from_numpy(images.pixels)
    size = fitting(network.graph, batch)
    yield from in_batches(chosen_maps, pixels, size, "images", job)


def response(maps: Float32[np.ndarray, "image y x"]) -> Float32[np.ndarray, " image"]:
    """The Frobenius norm of each map."""
    squares = np.square(maps, dtype=np.float64)
    return np.sqrt(squares.sum(axis=(1, 2))).astype(np.float32)


def write(
    path: Path | str,
    batches: Iterable[FilterMaps],
    chosen: Sequence[str],
    checkpoint_sha256: str,
    kernels: Kernels | None = None,
) -> None:
    """Write the maps and responses of chosen filters as they come from `record`.

    Args:
        kernels: of all filters of the first layer, if they are to be kept beside these.
    """
    with hdf5.create(path) as file:
        file.attrs["checkpoint_sha256"] = checkpoint_sha256
        for of_batch in batches:
            for name in chosen:
                maps = np.ascontiguousarray(of_batch[name])
                _append(file, f"{name}/maps", maps)
                _append(file, f"{name}/response", response(maps))
        for name in chosen:
            _name_axes(file[name])
        if kernels is not None:
            store(file, kernels)


def _append(file: h5py.File, name: str, rows: Shaped[np.ndarray, "image ..."]) -> None:
    """Append rows to a dataset, which the first ones create."""
    if name not in file:
        row = rows.shape[1:]
        file.create_dataset(
            name,
            shape=(0, *row),
            dtype=rows.dtype,
            maxshape=(None, *row),
            chunks=(CHUNK, *row),
            compression="lzf",
        )
    stored = file[name]
    stored.resize(len(stored) + len(rows), axis=0)
    stored[-len(rows) :] = rows


def _name_axes(group: h5py.Group) -> None:
    """Name the axes of a filter's maps and responses, once all images are there."""
    maps = group["maps"]
    hdf5.dimension(group, "image", np.arange(len(maps)))
    for axis, length in zip(("y", "x"), maps.shape[1:], strict=True):
        hdf5.dimension(group, axis, np.arange(length))
    hdf5.attach(group, maps, ("image", "y", "x"))
    hdf5.attach(group, group["response"], ("image",))

"""Occlusion maps: what is predicted with a grey window at each position, and their files.

Each position takes a forward pass, or is left to `incremental` or `boxes`, which compute only what
changes, where that is faster.

Source: Zeiler & Fergus 2014, Visualizing and Understanding Convolutional Networks, section 4.2.
"""

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import h5py
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor, nn

from convprobe.dataset.image_file import Images
from convprobe.errors import InputError
from convprobe.job import runtime
from convprobe.network import arithmetic, reach, threads
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import blocks, sparse
from convprobe.occlusion.boxes import ChangedBoxes
from convprobe.occlusion.incremental import Incremental
from convprobe.store import files, hdf5

BATCH = 256  # occluded images at a time; bounds the memory, doesn't change the result
# On a GPU so many times as many, if maps are small: there 513 of 32 × 32 pixels took two thirds of
# the time of 205 (the published network, NVIDIA H200).
GPU_BATCHES = 4
SETTINGS = ("window", "fill", "precision")  # attributes of a window file
AXES = {
    "probability": ("image", "y", "x", "class"),
    "confidence": ("image", "y", "x"),
    "clean_probability": ("image", "class"),
    "label": ("image",),
}

Hidden = tuple[Bool[np.ndarray, "row y"], Bool[np.ndarray, "column x"]]
Engine = ChangedBoxes | Incremental
Maps = tuple[Float32[np.ndarray, "image row column class"], Float32[np.ndarray, "image class"]]


class Settings(TypedDict):
    """How maps are made.

    Attributes:
        window: side in pixels, odd.
        fill: grey level of the window, 0 to 255.
        precision: `fp32` or `bf16`.
    """

    window: int
    fill: int
    precision: str


def sweep(
    network: nn.Module,
    pixels: UInt8[np.ndarray, "image y x channel"],
    window: int,
    fill: int = 128,
    precision: str = "fp32",
    job: runtime.Job = runtime.IDLE,
    batch: int | None = None,
    stride: int = 1,
) -> Maps:
    """Class probabilities with a grey window centred at every pixel in turn, and without it.

    At the border the window is clipped, so that every pixel has a map value and a window in a
    corner hides about a quarter of its area. Grey is a pixel value: it is normalised as the image
    is. With a stride, it is not centred at every pixel, but at the pixels `stride // 2`,
    `stride // 2 + stride`, … along each axis.

    Args:
        network: in evaluation mode; maps pixels (image, channel, y, x) in [0, 1] to logits.
        window: side in pixels, odd.
        fill: grey level, 0 to 255.
        precision: `fp32`, or `bf16`: by autocast, or, where only changes are computed, for these.
        batch: positions at a time, where they are computed one by one; by default as many as are
            fastest.
        stride: from one position to the next, in pixels.

    Returns:
        the maps, by row and column of the position, and the clean probabilities of each image,
        computed in the same way. Those of one image and position sum to 1.

    Raises:
        InputError: the window is even, or it or the stride is larger than the image.
    """
    height, width = pixels.shape[1:3]
    hidden = windows(height, width, window, stride)
    rows, columns = (len(places) for places in hidden)
    way = _way(network, (height, width), window, stride, precision)
    if way == "states":
        ((maps, clean),) = sweep_together(network, pixels, [window], fill, precision, job, stride)
        return maps, clean
    if way == "boxes":
        spans = [reach.hidden(side, window, stride) for side in (height, width)]
        engine = ChangedBoxes(network, spans, precision)
        return _by_engine(engine, pixels, fill, rows * columns, job)
    size = batch or _batch(network)
    probability = _plain(network, pixels, hidden, fill, precision, job, size)
    maps = probability[:, 1:].reshape(len(pixels), rows, columns, -1)
    return maps, probability[:, 0]


def windows(height: int, width: int, window: int, stride: int = 1) -> Hidden:
    """Which rows and which columns of pixels the window hides, centred at each in turn.

    Raises:
        InputError: the window is even, or it or the stride is larger than the image.
    """
    wide = f"the window is {window} pixels wide, but"
    if window % 2 == 0:
        raise InputError(f"{wide} it is centred on a pixel: expected an odd side")
    if window > min(height, width):
        raise InputError(f"{wide} the images are {width}×{height}")
    if not 1 <= stride <= min(height, width):
        raise InputError(
            f"the stride is {stride}, but the images are {width}×{height}: expected 1 to "
            f"{min(height, width)}"
        )
    return _hidden_along_axis(height, window, stride), _hidden_along_axis(width, window, stride)


def _hidden_along_axis(side: int, window: int, stride: int) -> Bool[np.ndarray, "position pixel"]:
    distance = abs(np.subtract.outer(arithmetic.centres(side, stride), np.arange(side)))
    return distance <= window // 2


def _way(
    network: nn.Module, image_size: tuple[int, int], window: int, stride: int, precision: str
) -> str:
    """How a map takes the fewest multiply-adds, by the geometry: the name of a reach.Way.

    Compiled code has hardly any overhead, and is quicker for small networks too.
    """
    if not isinstance(network, Classifier):
        return "passes"
    if network.mean.device.type != "cpu":
        return reach.cheapest_on_gpu(network.graph, image_size, window, stride, precision).name
    asked = (network.settings, network.graph, image_size, window, stride)
    way = reach.cheapest(*asked)
    compiled = reach.cheapest(*asked, arithmetic.COMPILED_CALL, arithmetic.COMPILED_RATE)
    if way.name != "states" and compiled.name == "states" and sparse.fastest(precision):
        way = compiled
    return way.name


def together(
    network: nn.Module,
    image_size: tuple[int, int],
    window: int,
    others: Iterable[int],
    stride: int = 1,
    precision: str = "fp32",
) -> list[int]:
    """A window, which comes first, and those others that take less if computed together with it."""
    sides = [window, *(side for side in others if side != window)]
    ways = [_way(network, image_size, side, stride, precision) for side in sides]
    if ways[0] != "states":
        return [window]
    return [side for side, way in zip(sides, ways, strict=True) if way == "states"]


def sweep_together(
    network: Network,
    pixels: UInt8[np.ndarray, "image y x channel"],
    sides: Sequence[int],
    fill: int = 128,
    precision: str = "fp32",
    job: runtime.Job = runtime.IDLE,
    stride: int = 1,
) -> list[Maps]:
    """As `sweep`, for several windows; what they change in the same way is computed once.

    Args:
        sides: of the windows, as `together` gives them.
    """
    side = pixels.shape[1]
    engine = Incremental(network, side, sides, precision, stride)
    positions = len(sides) * len(engine.centres) ** 2
    maps, clean = _by_engine(engine, pixels, fill, positions, job)
    return [(maps[:, number], clean) for number in range(len(sides))]


def _batch(network: nn.Module) -> int:
    if not isinstance(network, Classifier) or network.mean.device.type == "cpu":
        return BATCH
    return max(BATCH, GPU_BATCHES * fitting(network.graph, BATCH))


def _by_engine(
    engine: Engine,
    pixels: UInt8[np.ndarray, "image y x channel"],
    fill: int,
    positions: int,
    job: runtime.Job,
) -> tuple[Float32[np.ndarray, "image ..."], Float32[np.ndarray, "image class"]]:
    """The maps and the clean probabilities by an engine, an image per thread.

    Where there are fewer images than threads, these share the work of each. A GPU computes one
    image after the other: its positions fill it.

    Args:
        positions: of all windows together, in an image.
    """
    is_on_cpu = isinstance(engine, Incremental) or engine.is_on_cpu
    at_a_time = min(torch.get_num_threads(), len(pixels)) if is_on_cpu else 1
    with threads.shared_by(at_a_time) as pool:
        results = pool.map(lambda image: engine(image, fill), _taken(pixels))
        total = len(pixels) * positions
        results = list(job.progress(results, total, "positions", lambda _: positions))
    maps, clean = zip(*results, strict=True)
    return np.stack(maps), np.stack(clean)


def _taken(
    pixels: UInt8[np.ndarray, "image y x channel"],
) -> UInt8[np.ndarray, "image y x channel"]:
    """A copy: PyTorch takes no mirrored view, and none that can't be written to."""
    return pixels.copy()


def _plain(
    network: nn.Module,
    pixels: UInt8[np.ndarray, "image y x channel"],
    hidden: Hidden,
    fill: int,
    precision: str,
    job: runtime.Job,
    batch: int,
) -> Float32[np.ndarray, "image pass class"]:
    """Probabilities by a forward pass for each image as it is, then one for each position."""
    device = _device(network)
    # There already: for a small network copies would take longer than the passes.
    arrays = (_taken(pixels), *hidden)
    images, rows, columns = (torch.from_numpy(array).to(device) for array in arrays)
    of_image = 1 + len(rows) * len(columns)

    def probability(passes: range) -> Float32[np.ndarray, "pass class"]:
        numbers = torch.arange(passes.start, passes.stop, device=device)
        places = numbers % of_image - 1
        row, column = places.div(len(columns), rounding_mode="floor"), places % len(columns)
        is_grey = rows[row][:, :, None] & columns[column][:, None, :]
        is_grey &= (places >= 0)[:, None, None]
        covered = images[numbers.div(of_image, rounding_mode="floor")]
        covered = covered.masked_fill(is_grey[..., None], fill)
        return _probability(network, covered, precision)

    passes = range(len(pixels) * of_image)
    found = in_batches(probability, passes, batch, "positions", job)
    return np.concatenate(list(found)).reshape(len(pixels), of_image, -1)


@torch.inference_mode()
def _probability(
    network: nn.Module, pixels: UInt8[Tensor, "image y x channel"], precision: str
) -> Float32[np.ndarray, "image class"]:
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits = network(as_input(pixels))
    return logits.float().softmax(dim=1).cpu().numpy()


def _device(network: nn.Module) -> torch.device:
    tensor = next(itertools.chain(network.parameters(), network.buffers()), None)
    return torch.device("cpu") if tensor is None else tensor.device


def write(
    path: Path | str,
    probability: Float[np.ndarray, "image y x class"],
    clean: Float[np.ndarray, "image class"],
    images: Images,
    settings: Settings,
    checkpoint_sha256: str,
    stride: int = 1,
) -> None:
    """Write the maps of one window.

    Args:
        clean: probabilities without a window.
        images: those that were occluded.
        settings: stored as attributes.
        checkpoint_sha256: of the checkpoint that the maps are made with.
        stride: of the maps; `y` and `x` hold the pixels at which the window is centred.
    """
    each = np.arange(len(images.labels))
    arrays = {
        "probability": probability,
        "confidence": probability[each, :, :, images.labels],
        "clean_probability": clean,
        "label": images.labels,
    }
    with hdf5.create(path) as file:
        centres = [np.array(arithmetic.centres(side, stride)) for side in images.image_size]
        _write_axes(file, images.indices, centres, images.classes)
        for name, values in arrays.items():
            hdf5.dataset(file, name, values, AXES[name])
        for name in SETTINGS:
            file.attrs[name] = settings[name]
        file.attrs["checkpoint_sha256"] = checkpoint_sha256


def _write_axes(
    file: h5py.File,
    images: np.ndarray,
    centres: Sequence[blocks.Centres],
    classes: Iterable[str],
) -> None:
    """Write the coordinates; those of the window's centres are given for y, then for x."""
    hdf5.dimension(file, "image", images)
    for name, places in zip(("y", "x"), centres, strict=True):
        hdf5.dimension(file, name, places, units="pixel")
    hdf5.dimension(file, "class", list(classes))


def join(path: Path | str, shard_paths: Sequence[Path | str]) -> None:
    """Write a file that shows the shards' maps as one, without a copy: HDF5 virtual datasets.

    Args:
        path: of the file; it finds the shards relative to its own folder.
        shard_paths: files of `write`, the first images first.

    Raises:
        InputError: a shard is damaged, or was made with other settings or weights than the first.
    """
    with contextlib.ExitStack() as opened:
        shards = [opened.enter_context(hdf5.open_complete(shard)) for shard in shard_paths]
        made_with = _made_with(shards, shard_paths)
        made_with.pop("stride")  # the coordinates tell it
        with hdf5.create(path) as file:
            images = np.concatenate([shard["image"][:] for shard in shards])
            classes = shards[0]["class"].asstr()[:]
            _write_axes(file, images, blocks.centres(shards[0]), classes)
            for name, axes in AXES.items():
                parts = [shard[name] for shard in shards]
                hdf5.virtual_dataset(file, name, parts, Path(path).parent, axes)
            file.attrs.update(made_with)
            # It holds none of the maps: without the digests its bytes would stay when they change.
            file.attrs["shards_sha256"] = _digest_of_all(shard_paths)


def _made_with(shards: Sequence[h5py.File], paths: Sequence[Path | str]) -> dict[str, Any]:
    """The settings, the stride and the checkpoint's digest, which all shards have in common."""
    expected = _made_each_with(shards[0])
    for path, shard in zip(paths, shards, strict=True):
        found = _made_each_with(shard)
        for name, value in expected.items():
            if found[name] != value:
                raise InputError(
                    f"{path}: {name} is {found[name]}, expected {value} as in {paths[0]}"
                )
    return expected


def _made_each_with(shard: h5py.File) -> dict[str, Any]:
    made_with = {name: shard.attrs[name] for name in (*SETTINGS, "checkpoint_sha256")}
    made_with["stride"] = blocks.stride(*blocks.centres(shard))
    return made_with


def _digest_of_all(paths: Sequence[Path | str]) -> str:
    """SHA-256 of what `sha256sum` prints of files in their folder: lines of digest and name."""
    lines = [f"{files.sha256(path)}  {Path(path).name}\n" for path in paths]
    return hashlib.sha256("".join(lines).encode()).hexdigest()

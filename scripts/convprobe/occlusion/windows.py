"""Occlusion maps: what is predicted with a grey window at each position.

Each position takes a forward pass, or is left to `incremental` or `boxes`, which compute only what
changes, where that is faster.

Source: Zeiler & Fergus 2014, Visualizing and Understanding Convolutional Networks, section 4.2.
"""

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor, nn

from convprobe.errors import InputError
from convprobe.job import runtime
from convprobe.network import arithmetic, reach, threads
from convprobe.network.batches import fitting, in_batches
from convprobe.network.classifiers import Classifier
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import sparse
from convprobe.occlusion.boxes import ChangedBoxes
from convprobe.occlusion.incremental import Incremental
from convprobe.occlusion.window_settings import WindowSettings

BATCH = 256  # occluded images at a time; bounds the memory, doesn't change the result
# On a GPU so many times as many, if maps are small: there 513 of 32 × 32 pixels took two thirds of
# the time of 205 (the published network, NVIDIA H200).
GPU_BATCHES = 4
LARGEST_HELD = 2**30  # numbers that are held of all images at a time, see Incremental.numbers_held
Hidden = tuple[Bool[np.ndarray, "row y"], Bool[np.ndarray, "column x"]]
Engine = ChangedBoxes | Incremental
Probabilities = tuple[
    Float32[np.ndarray, "image row column class"], Float32[np.ndarray, "image class"]
]


def sweep(
    network: nn.Module,
    pixels: UInt8[np.ndarray, "image y x channel"],
    window: int,
    fill: int = WindowSettings.fill,
    precision: str = WindowSettings.precision,
    job: runtime.Job = runtime.IDLE,
    batch: int | None = None,
    stride: int = WindowSettings.stride,
) -> Probabilities:
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
        computed in the same way. Those of one image and position sum to 1. Both are equal, bit by
        bit, where all that the window hides is as grey as the window.

    Raises:
        InputError: the window is even, or it or the stride is larger than the image.
    """
    height, width = pixels.shape[1:3]
    hidden = windows(height, width, window, stride)
    way = _way(network, (height, width), window, stride, precision)
    if way == "states":
        settings = WindowSettings(window, fill, precision, stride)
        ((maps, clean),) = sweep_together(network, pixels, settings, [window], job)
        return maps, clean
    if way == "boxes":
        spans = [reach.hidden(side, window, stride) for side in (height, width)]
        engine = ChangedBoxes(network, spans, precision)
        maps, clean = _by_engine(engine, pixels, fill, math.prod(map(len, hidden)), job)
    else:
        size = batch or _batch(network)
        probability = _plain(network, pixels, hidden, fill, precision, job, size)
        clean = probability[:, 0]
        maps = probability[:, 1:].reshape(len(pixels), *map(len, hidden), -1)
    _settle_unchanged(maps, clean, _hides_nothing(pixels, hidden, fill))
    return maps, clean


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


def _settle_unchanged(
    maps: Float32[np.ndarray, "image row column class"],
    clean: Float32[np.ndarray, "image class"],
    unchanged: Bool[np.ndarray, "image row column"],
) -> None:
    """Put clean probabilities where nothing changes: rounding would give these places an order."""
    image, row, column = np.nonzero(unchanged)
    maps[image, row, column] = clean[image]


def _hides_nothing(
    pixels: UInt8[np.ndarray, "image y x channel"], hidden: Hidden, fill: int
) -> Bool[np.ndarray, "image row column"]:
    """Where the window covers no pixel that differs from it."""
    rows, columns = (axis.astype(np.float32) for axis in hidden)
    differs = (pixels != fill).any(-1).astype(np.float32)
    return rows @ differs @ columns.T == 0


def _way(
    network: nn.Module, image_size: tuple[int, int], window: int, stride: int, precision: str
) -> str:
    """How a map takes the fewest multiply-adds, by the geometry: the name of a reach.Way.

    Compiled code has hardly any overhead, and is quicker for small networks too.
    """
    if not isinstance(network, Classifier):
        return "passes"
    if network.device.type != "cpu":
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
    settings: WindowSettings,
    others: Iterable[int],
) -> list[int]:
    """A window, which comes first, and those others that take less if computed together with it."""
    own = settings.window
    sides = [own, *(side for side in others if side != own)]
    ways = [_way(network, image_size, side, settings.stride, settings.precision) for side in sides]
    if ways[0] != "states":
        return [own]
    return [side for side, way in zip(sides, ways, strict=True) if way == "states"]


def sweep_together(
    network: Network,
    pixels: UInt8[np.ndarray, "image y x channel"],
    settings: WindowSettings,
    sides: Sequence[int],
    job: runtime.Job = runtime.IDLE,
) -> list[Probabilities]:
    """As `sweep`, for several windows; what they change in the same way is computed once.

    Args:
        settings: of all windows, but for the side.
        sides: of the windows, as `together` gives them.
    """
    side = pixels.shape[1]
    engine = Incremental(network, side, sides, settings.precision, settings.stride)
    positions = len(sides) * len(engine.centres) ** 2
    maps, clean = _by_engine(engine, pixels, settings.fill, positions, job)
    return [(maps[:, number], clean) for number in range(len(sides))]


def _batch(network: nn.Module) -> int:
    if not isinstance(network, Classifier) or network.device.type == "cpu":
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

    Where there are fewer images than threads, or much to hold of each, threads share the work of an
    image. A GPU computes one image after the other: its positions fill it.

    Args:
        positions: of all windows together, in an image.
    """
    is_on_cpu = isinstance(engine, Incremental) or engine.is_on_cpu
    at_a_time = min(torch.get_num_threads(), len(pixels)) if is_on_cpu else 1
    if isinstance(engine, Incremental):
        at_a_time = max(1, min(at_a_time, LARGEST_HELD // engine.numbers_held))
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
    probabilities = in_batches(probability, passes, batch, "positions", job)
    return np.concatenate(list(probabilities)).reshape(len(pixels), of_image, -1)


@torch.inference_mode()
def _probability(
    network: nn.Module, pixels: UInt8[Tensor, "image y x channel"], precision: str
) -> Float32[np.ndarray, "image class"]:
    inputs = as_input(pixels)
    if not isinstance(network, Classifier):
        inputs = inputs.contiguous()  # a module of someone else's may call `view` on them
    with torch.autocast(pixels.device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits = network(inputs)
    return logits.float().softmax(dim=1).cpu().numpy()


def _device(network: nn.Module) -> torch.device:
    tensor = next(itertools.chain(network.parameters(), network.buffers()), None)
    return torch.device("cpu") if tensor is None else tensor.device

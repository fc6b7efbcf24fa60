"""Where does the network look? Cover a part of the image and see what it then believes.

Source: Zeiler & Fergus 2014, Visualizing and Understanding Convolutional Networks, section 4.2.
"""

import contextlib
import hashlib
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from convprobe.errors import InputError
from convprobe.job import runtime
from convprobe.network import arithmetic
from convprobe.network.batches import in_batches
from convprobe.network.layers import Network, as_input
from convprobe.occlusion import incremental
from convprobe.store import files, hdf5

BATCH = 256  # occluded images at a time; bounds the memory, doesn't change the result


def sweep(
    network: torch.nn.Module,
    pixels: np.ndarray,
    window: int,
    fill: int = 128,
    precision: str = "fp32",
    job: runtime.Job = runtime.IDLE,
    batch: int = BATCH,
) -> tuple[np.ndarray, np.ndarray]:
    """Class probabilities with a grey window centred at every pixel in turn, and without it.

    At the border the window is clipped, so that each pixel has a map value and a corner hides a
    quarter of the window. Grey is a pixel value: it is normalised as the image is.

    Args:
        network: in evaluation mode; maps float32 (n, channel, y, x) in [0, 1] to logits (n, class).
        pixels: uint8 (image, y, x, channel).
        window: side in pixels, odd.
        fill: grey level, 0 to 255.
        precision: `fp32`, or `bf16`: by autocast, or for the changes only, where these are computed.
        batch: positions at a time, where they are computed one by one.

    Returns:
        float32 (image, y, x, class), each (image, y, x) summing to 1; and (image, class), of the images as they
        are, computed in the same way.

    Raises:
        InputError: the window is even or larger than the image.
    """
    height, width = pixels.shape[1:3]
    hidden = torch.from_numpy(windows(height, width, window))
    if _incremental_is_cheaper(network, height, window):
        return _incremental(network, pixels, window, fill, precision, job)
    probability = _plain(network, pixels, hidden, fill, precision, job, batch)
    return probability[:, 1:].reshape(len(pixels), height, width, -1), probability[:, 0]


def _incremental_is_cheaper(network, side, window):
    """From the geometry; a GPU makes short work of large batches and long work of many small products."""
    if not isinstance(network, Network) or network.mean.device.type != "cpu":
        return False
    plain = arithmetic.forward(network.settings, side, network.classes) * side**2
    return arithmetic.occlusion_map(network.settings, side, network.classes, window) < plain


def _incremental(network, pixels, window, fill, precision, job):
    engine = incremental.Incremental(network, pixels.shape[1], window, precision)
    threads = torch.get_num_threads()
    # An image each: two threads within one of the many small products would wait for one another.
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            found = pool.map(lambda image: engine(image, fill), pixels)
            positions = pixels[0, ..., 0].size
            found = list(
                job.progress(found, len(pixels) * positions, "positions", lambda _: positions)
            )
        probability, clean = zip(*found, strict=True)
        return np.stack(probability), np.stack(clean)
    finally:
        torch.set_num_threads(threads)


def _plain(network, pixels, hidden, fill, precision, job, batch):
    """Float32 (image, 1 + position, class), the first without a window."""
    hidden = torch.cat([torch.zeros_like(hidden[:1]), hidden])

    def probability(positions):
        images, rows = np.divmod(np.arange(positions.start, positions.stop), len(hidden))
        return _probability(network, _covered(pixels[images], hidden[rows], fill), precision)

    positions = range(len(pixels) * len(hidden))
    found = in_batches(probability, positions, batch, "positions", job)
    return np.concatenate(list(found)).reshape(len(pixels), len(hidden), -1)


def windows(height, width, window):
    """Which pixels the window hides at each position.

    Returns:
        bool (position, y, x); positions in row order, one a pixel.

    Raises:
        InputError: the window is even or larger than the image.
    """
    if window % 2 == 0:
        raise InputError(
            f"the window is {window} pixels wide, but it is centred on a pixel: expected an odd side"
        )
    if window > min(height, width):
        raise InputError(f"the window is {window} pixels wide, but the images are {width}×{height}")
    near_y, near_x = (
        abs(np.subtract.outer(np.arange(n), np.arange(n))) <= window // 2 for n in (height, width)
    )
    hidden = near_y[:, None, :, None] & near_x[None, :, None, :]
    return hidden.reshape(height * width, height, width)


def _covered(images, hidden, fill):
    grey = torch.tensor(fill, dtype=torch.uint8)
    return torch.where(hidden[..., None], grey, torch.from_numpy(images))


@torch.inference_mode()
def _probability(network, pixels, precision):
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        logits = network(as_input(pixels.to(device)))
    return logits.float().softmax(dim=1).cpu().numpy()


def write(path, probability, clean, images, settings, checkpoint_sha256):
    """Write a window's maps.

    Args:
        probability: float32 (image, y, x, class).
        clean: float32 (image, class), without a window.
        images: the image_file.Images that were occluded.
        settings: `window`, `fill` and `precision`, stored as attributes.
        checkpoint_sha256: of the checkpoint that made the maps.
    """
    each = np.arange(len(images.labels))
    with hdf5.create(path) as file:
        _write_axes(file, images.indices, images.side, images.classes)
        hdf5.dataset(file, "probability", probability, AXES["probability"])
        hdf5.dataset(file, "confidence", probability[each, :, :, images.labels], AXES["confidence"])
        hdf5.dataset(file, "clean_probability", clean, AXES["clean_probability"])
        hdf5.dataset(file, "label", images.labels, AXES["label"])
        file.attrs.update(
            {name: settings[name] for name in SETTINGS}, checkpoint_sha256=checkpoint_sha256
        )


SETTINGS = ("window", "fill", "precision")
AXES = {
    "probability": ("image", "y", "x", "class"),
    "confidence": ("image", "y", "x"),
    "clean_probability": ("image", "class"),
    "label": ("image",),
}


def _write_axes(file, images, side, classes):
    hdf5.dimension(file, "image", images)
    hdf5.places(file, side)
    hdf5.dimension(file, "class", list(classes))


def join(path, shard_paths):
    """Write a file that shows the shards' maps as one, without a copy: HDF5 virtual datasets.

    Args:
        path: of the file; it finds the shards relative to its own folder.
        shard_paths: files of `write`, the first images first.

    Raises:
        InputError: a shard is damaged, or was made otherwise than the first.
    """
    with contextlib.ExitStack() as opened:
        shards = [opened.enter_context(hdf5.open_complete(shard)) for shard in shard_paths]
        made = {name: shards[0].attrs[name] for name in (*SETTINGS, "checkpoint_sha256")}
        for (place, shard), name in itertools.product(zip(shard_paths, shards, strict=True), made):
            if shard.attrs[name] != made[name]:
                raise InputError(
                    f"{place}: {name} is {shard.attrs[name]}, expected {made[name]} as in {shard_paths[0]}"
                )
        with hdf5.create(path) as file:
            images = np.concatenate([shard["image"][:] for shard in shards])
            _write_axes(file, images, len(shards[0]["y"]), shards[0]["class"].asstr()[:])
            for name, axes in AXES.items():
                hdf5.virtual_dataset(
                    file, name, [shard[name] for shard in shards], Path(path).parent, axes
                )
            # Of the shards' maps it holds nothing: only by their digests does it change when one of them does.
            file.attrs.update(made, shards_sha256=_digest_of_all(shard_paths))


def _digest_of_all(paths: Sequence[str | Path]) -> str:
    """SHA-256 of what `sha256sum` prints of files in their folder: a digest and a name a line."""
    lines = "".join(f"{files.sha256(path)}  {Path(path).name}\n" for path in paths)
    return hashlib.sha256(lines.encode()).hexdigest()

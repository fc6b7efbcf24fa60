"""The file of one window's occlusion maps, and the file that joins those of its shards."""

import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float

from convprobe.dataset.image_file import Images
from convprobe.errors import InputError
from convprobe.network import arithmetic
from convprobe.occlusion import blocks
from convprobe.occlusion.window_settings import WindowSettings
from convprobe.store import files, hdf5

SETTINGS = ("window", "fill", "precision")  # that are attributes of the file
AXES = {
    "probability": ("image", "y", "x", "class"),
    "confidence": ("image", "y", "x"),
    "clean_probability": ("image", "class"),
    "label": ("image",),
}


def write(
    path: Path | str,
    probability: Float[np.ndarray, "image y x class"],
    clean: Float[np.ndarray, "image class"],
    images: Images,
    settings: WindowSettings,
    checkpoint_sha256: str,
) -> None:
    """Write the maps of one window.

    Args:
        clean: probabilities without a window.
        images: those that were occluded.
        settings: stored as attributes, but for the stride, which the coordinates tell.
        checkpoint_sha256: of the checkpoint that the maps are made with.
    """
    each = np.arange(len(images.labels))
    arrays = {
        "probability": probability,
        "confidence": probability[each, :, :, images.labels],
        "clean_probability": clean,
        "label": images.labels,
    }
    with hdf5.create(path) as file:
        centres = [
            np.array(arithmetic.centres(side, settings.stride)) for side in images.image_size
        ]
        _write_axes(file, images.indices, centres, images.classes)
        for name, values in arrays.items():
            hdf5.dataset(file, name, values, AXES[name])
        for name in SETTINGS:
            file.attrs[name] = getattr(settings, name)
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
        made_with.pop("stride")
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

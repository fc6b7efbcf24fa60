"""The pixels of a user's own images, in a folder, a .tar.gz or a .zip; `listing` says which images.

What claims to be far larger than an image of this study is refused before it is unpacked.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil
from jaxtyping import Int64, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from convprobe.dataset import archives, listing
from convprobe.dataset.archives import Parts
from convprobe.dataset.image_sizes import FORMATS
from convprobe.errors import InputError

PNG_DEPTH = 24  # the byte of a PNG that says how many bits a channel has
MOST_PIXELS = 2**24  # of an image, once it is unpacked
Image.MAX_IMAGE_PIXELS = None  # Pillow's own, higher limit only warns

ImagePixels = UInt8[np.ndarray, "y x channel"]
Arrays = tuple[UInt8[np.ndarray, "image y x channel"], Int64[np.ndarray, " image"]]


def read(
    path: Path | str,
    image_size: tuple[int, int] | None = None,
    split: Mapping[str, float] | None = None,
    classes: Sequence[str] | None = None,
) -> tuple[dict[str, Arrays], tuple[str, ...]]:
    """Pixels and labels of both splits.

    Classes are numbered by name, unless they are given; images are ordered by NAME and then CLASS,
    so that `00000.jpg` of any class is image 0. Pixels are as torchvision's ImageFolder has them:
    transparency is dropped, an EXIF orientation doesn't turn them.

    Args:
        path: of the folder or archive.
        image_size: height and width in pixels to which the middle part of each image, of that
            aspect ratio, is scaled; without it, images must be of one size.
        split: `test_share` and `seed`, where there are no folders `train` and `test`: the share of
            each class's images that is drawn for the test.
        classes: names of all classes in their order, also of those without images.

    Returns:
        pixels and labels by `train` and `test`; class names.

    Raises:
        InputError: nothing there, a damaged archive, an unreadable image, unequal sizes, a class
            without images, only in test or not among the given ones, the same image twice, more
            than the memory holds.
    """
    listed = listing.Listing(path, split)
    pixels = _read(listed, image_size)
    arranged = listed.arranged()
    for places in arranged.values():
        _refuse_mixed(path, arranged["train"][0], places, pixels)
    folders = sorted({place[-2] for place in arranged["train"]})
    classes = list(classes or folders)
    _refuse_unknown(path, folders, classes)
    arrays = {}
    for name, places in arranged.items():
        labels = [classes.index(place[-2]) for place in places]
        stacked = np.stack([pixels[place] for place in places])
        arrays[name] = (stacked, np.array(labels, dtype=np.int64))
    return arrays, tuple(classes)


def _refuse_unknown(path: Path | str, folders: Sequence[str], classes: Sequence[str]) -> None:
    """Raise an InputError if a folder's name is none of the classes."""
    for name in folders:
        if name not in classes:
            raise InputError(f"{path}: class {name} is not among dataset.classes")


def _read(listed: listing.Listing, image_size: tuple[int, int] | None) -> dict[Parts, ImagePixels]:
    """The pixels of each image, by its place."""
    pixels = {}
    taken = 0  # bytes
    # They are held twice, once one by one and once in a row.
    most = psutil.virtual_memory().available // 2
    with archives.reading(listed.path):
        for entry in listed:
            where = f"{listed.path}: {'/'.join(entry.parts)}"
            image = _pixels(where, entry.read(), image_size)
            pixels[entry.parts] = image
            taken += image.nbytes
            if taken > most:
                found = f"the first {len(pixels)} images take {taken} bytes of memory"
                expected = f"expected at most {most}, half of what is free: fewer or smaller ones"
                raise InputError(f"{listed.path}: {found}, {expected}")
    return pixels


def _pixels(where: str, content: bytes, image_size: tuple[int, int] | None) -> ImagePixels:
    """What an image file shows.

    Args:
        where: the file, for messages.
        content: of the file.
        image_size: as for `read`.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _refuse_huge(where, image)
            deep = image.mode.startswith(("I", "F"))
            deep |= image.format == "PNG" and content[PNG_DEPTH] > 8  # of colours too
            rgb = image.convert("RGB")
            if image_size:
                height, width = image_size
                rgb = ImageOps.fit(rgb, (width, height))  # the middle part, scaled
            pixels = np.asarray(rgb)
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{where}: not a readable image, expected one as its name says") from error
    except Exception as error:  # Pillow's readers raise any of them for a damaged image
        reason = " ".join(str(error).split())
        raise InputError(f"{where}: not a readable image ({reason})") from error
    if deep:
        # Pillow would cut off what is above 255, and so turn most of it white.
        raise InputError(f"{where}: has more than 8 bits per channel, expected 8")
    return pixels


def _refuse_huge(where: str, image: Image.Image) -> None:
    width, height = image.size  # as stated, before anything is unpacked
    if width * height > MOST_PIXELS:
        found = f"is {width}×{height} pixels"
        raise InputError(f"{where}: {found}, expected at most {MOST_PIXELS} in all")


def _refuse_mixed(
    path: Path | str,
    first_place: Parts,
    places: Sequence[Parts],
    pixels: Mapping[Parts, ImagePixels],
) -> None:
    """Refuse images that are not of the first one's size."""
    first_height, first_width, _ = pixels[first_place].shape
    for place in places:
        height, width, _ = pixels[place].shape
        if (height, width) != (first_height, first_width):
            found = f"{path}: {'/'.join(place)} is {width}×{height} pixels"
            expected = f"expected {first_width}×{first_height} as in {'/'.join(first_place)}"
            raise InputError(f"{found}, {expected}: all of one size, or dataset.image_size")

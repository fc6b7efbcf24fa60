"""The pixels of a folder of images, as it lies or inside a .tar.gz or .zip; which ones, `listing` decides.

Archives are read in memory and never unpacked, so no path in one can point outside. What claims to be
far larger than an image of this study is refused unread.
"""

import io

import numpy as np
import psutil
from PIL import Image, ImageOps, UnidentifiedImageError

from convprobe.dataset import listing
from convprobe.errors import InputError

MOST_PIXELS = 2**24  # of an image, once it is unpacked
Image.MAX_IMAGE_PIXELS = None  # Pillow's own, higher limit only warns
FORMATS = (
    "JPEG",
    "PNG",
    "BMP",
    "GIF",
    "WEBP",
)  # of all that Pillow reads: some hand a file on to other programs


def read(path, image_size=None, split=None):
    """Pixels and labels of both splits.

    Classes are numbered by name; images are ordered by NAME and then CLASS, so that `00000.jpg` of any
    class is image 0. Pixels are as torchvision's ImageFolder has them: transparency is dropped, an EXIF
    orientation doesn't turn them.

    Args:
        path: of the folder or archive.
        image_size: side in pixels to which the middle square of each image is scaled; without it,
            images must be square and of one size.
        split: `test_share` and `seed`, where there are no folders `train` and `test`: the share of each
            class's images that is drawn for the test.

    Returns:
        dict by `train` and `test` of (uint8 (image, y, x, 3), int64 (image)); class names.

    Raises:
        InputError: nothing there, a damaged archive, an unreadable image, unequal sizes, a class
            without images or only in test, the same image twice, more than the memory holds.
    """
    listed = listing.Listing(path, split)
    pixels = _read(listed, image_size)
    found = listed.arranged()
    _refuse_mixed(path, [(place, pixels[place]) for places in found.values() for place in places])
    classes = sorted({place[-2] for place in found["train"]})
    return {name: _arrays(places, pixels, classes) for name, places in found.items()}, tuple(
        classes
    )


def _read(listed, image_size):
    """The pixels of each image, by its place."""
    pixels, taken = {}, 0
    most = (
        psutil.virtual_memory().available // 2
    )  # they are held twice, once one by one and once in a row
    with listing.told(listed.path):
        for place, read_content in listed:
            pixels[place] = _pixels(f"{listed.path}: {'/'.join(place)}", read_content(), image_size)
            taken += pixels[place].nbytes
            if taken > most:
                found = (
                    f"{listed.path}: the first {len(pixels)} images take {taken} bytes of memory"
                )
                raise InputError(
                    f"{found}, expected at most {most}, half of what is free: fewer or smaller ones"
                )
    return pixels


def _pixels(where, content, image_size):
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size  # as stated, before anything is unpacked
            if width * height > MOST_PIXELS:
                raise InputError(
                    f"{where}: is {width}×{height} pixels, expected at most {MOST_PIXELS} in all"
                )
            deep = image.mode.startswith(("I", "F"))
            rgb = image.convert("RGB")
            # The middle square, scaled.
            pixels = np.asarray(ImageOps.fit(rgb, (image_size, image_size)) if image_size else rgb)
    except (InputError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"{where}: not a readable image, expected one as its name says") from error
    except Exception as error:  # what a damaged image makes of Pillow's readers can be any of them
        raise InputError(
            f"{where}: not a readable image ({' '.join(str(error).split())})"
        ) from error
    if deep:
        # Pillow would cut off what is above 255, and so turn most of it white.
        raise InputError(f"{where}: has more than 8 bits a channel, expected 8")
    return pixels


def _refuse_mixed(path, images):
    """One size for all images, in both splits."""
    first_place, first = images[0]
    for place, pixels in images:
        height, width, _ = pixels.shape
        found = f"{path}: {'/'.join(place)} is {width}×{height} pixels"
        if height != width:
            raise InputError(
                f"{found}, expected square images, or dataset.image_size to scale them to"
            )
        if pixels.shape != first.shape:
            expected = f"{len(first)}×{len(first)} as in {'/'.join(first_place)}"
            raise InputError(
                f"{found}, expected {expected}: all of one size, or dataset.image_size"
            )


def _arrays(places, pixels, classes):
    labels = np.array([classes.index(place[-2]) for place in places], dtype=np.int64)
    return np.stack([pixels[place] for place in places]), labels

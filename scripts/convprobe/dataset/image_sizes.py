"""The sizes of a user's own images, as their files state them: asked for before anything runs."""

import contextlib
import io
from pathlib import Path

from convprobe.dataset import archives, listing
from convprobe.dataset.kinds import Size

# Of all that Pillow reads: for some others it starts other programs.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
MOST = 2  # different sizes that are looked for


def read(path: Path | str, **split: float) -> list[Size]:
    """The first different sizes among the images, two at most.

    An image that can't be read is passed over: the job that reads its pixels refuses it.

    Args:
        path: of the folder or archive.
        split: `test_share` and `seed`, where the images lie at CLASS/NAME.

    Raises:
        InputError: a damaged archive, or a file that can't be read.
    """
    from PIL import Image  # here, because most plans can do without

    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit only warns; the job has a lower one
    places = {}
    with archives.reading(path):
        for entry in listing.Listing(path, split):
            content = io.BytesIO(entry.read())
            # Pillow's readers raise any exception for a damaged image.
            with contextlib.suppress(Exception), Image.open(content, formats=FORMATS) as image:
                width, height = image.size
                places.setdefault((height, width), "/".join(entry.parts))
            if len(places) == MOST:
                break
    return [(*size, place) for size, place in places.items()]

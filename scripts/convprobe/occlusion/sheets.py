"""Which images are on which sheet of maps."""

from collections.abc import Sequence

SHEET_IMAGES = 4  # side by side, as published
MOST_SHEETS = (
    5  # of the first 20 images, as published; the maps of all images are in the window files
)


def sheets(images: Sequence[int]) -> dict[str, list[int]]:
    """The images of each sheet, by its number from 1."""
    by_number = {}
    for number in range(1, MOST_SHEETS + 1):
        start = (number - 1) * SHEET_IMAGES
        shown = images[start : start + SHEET_IMAGES]
        if shown:
            by_number[str(number)] = list(shown)
    return by_number

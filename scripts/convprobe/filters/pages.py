"""Which filters are on which page of the atlas."""

from collections.abc import Iterable

PAGE_FILTERS = 100  # filters of one layer


def atlas_pages(widths: Iterable[int]) -> dict[tuple[str, str], list[int]]:
    """The first and the last channel on each page.

    Args:
        widths: how many channels each layer has.

    Returns:
        by name of the layer and number of the page, from 01.
    """
    found = {}
    for number, width in enumerate(widths, start=1):
        for page, first in enumerate(range(0, width, PAGE_FILTERS), start=1):
            last = min(first + PAGE_FILTERS, width) - 1
            found[f"conv{number}", f"{page:02d}"] = [first, last]
    return found

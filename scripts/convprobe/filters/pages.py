"""Which filters are on which page of the atlas."""

from collections.abc import Mapping

PAGE_FILTERS = 100  # filters of one layer


def atlas_pages(channels: Mapping[str, int]) -> dict[tuple[str, str], list[int]]:
    """The first and the last channel on each page.

    Args:
        channels: how many each layer has, by its name.

    Returns:
        by name of the layer and number of the page, from 01.
    """
    pages = {}
    for layer, width in channels.items():
        for page, first in enumerate(range(0, width, PAGE_FILTERS), start=1):
            last = min(first + PAGE_FILTERS, width) - 1
            pages[layer, f"{page:02d}"] = [first, last]
    return pages

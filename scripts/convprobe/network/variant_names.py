"""What variants of a network are called, beside those with the name of a filter or a layer."""

import re

CLEAN = "clean"  # as trained
ABLATED = "ablated"  # without the chosen filters
RANDOM = re.compile(r"random-\d+")


def random_draw(number: int) -> str:
    """The variant without one draw of random filters; draws are counted from 1."""
    return f"random-{number:02d}"


def is_random_draw(variant: str) -> bool:
    return RANDOM.fullmatch(variant) is not None


def is_taken(name: str) -> bool:
    """Whether a layer can't be called so, because a variant is."""
    return name in (CLEAN, ABLATED) or is_random_draw(name)

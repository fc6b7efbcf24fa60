"""What part of the image a unit of a map sees, by arithmetic on the network's graph.

Along each axis a unit sees an interval of pixels: the hull of what the units see that it reads, by
whatever path, clipped at each map: padding sees nothing. Plain Python, so that a Snakefile can use
it.
Source: Araujo, Norris & Sim 2019, Computing Receptive Fields of Convolutional Neural Networks.
"""

from collections.abc import Iterable
from typing import NamedTuple

from convprobe.network.graph import INPUT
from convprobe.network.operators import Maps, UnitRange, pads, steps

NOTHING: UnitRange = (0, 0)


class Grid(NamedTuple):
    """Where the units of a map look, padding included: each one `stride` pixels further.

    Attributes:
        size: of what a unit sees, in pixels.
        start: the first pixel that the first unit sees; below 0 if that is padding.
    """

    size: int
    stride: int
    start: int


class ReceptiveField(NamedTuple):
    """What the units of a map see along one axis of the image.

    Attributes:
        seen: for each unit the half-open interval of the image's pixels that it sees; shorter than
            the grid's size if the unit sees padding too.
        grid: None if the units don't look at regular places, as behind an adaptive pooling, in
            padding by the map's own units, or behind an operator of which each result depends on
            everything.
    """

    seen: tuple[UnitRange, ...]
    grid: Grid | None


class Fields(NamedTuple):
    """The receptive fields of a map's units along both axes."""

    y: ReceptiveField
    x: ReceptiveField


def of_maps(maps: Maps, names: Iterable[str]) -> dict[str, Fields]:
    """The receptive fields of some nodes' units, by the nodes' names."""
    along = (_along(maps, 0), _along(maps, 1))
    return {name: Fields(*(_regular(fields[name]) for fields in along)) for name in names}


def _regular(field: ReceptiveField) -> ReceptiveField:
    """A field without its grid where a unit looks elsewhere: in padding, at its reflection."""
    if field.grid is None:
        return field
    size, stride, start = field.grid
    for unit, (first, end) in enumerate(field.seen):
        place = start + unit * stride
        if first < end and not place <= first < end <= place + size:
            return field._replace(grid=None)
    return field


def _along(maps: Maps, axis: int) -> dict[str, ReceptiveField]:
    """What is seen along an axis, by each node that depends on the image.

    A node without a map is taken for one unit.
    """
    fields = {}
    for name in maps.graph.nodes:
        if name in maps.depending:
            fields[name] = _field(maps, name, axis, fields)
    return fields


def _field(maps: Maps, name: str, axis: int, fields: dict[str, ReceptiveField]) -> ReceptiveField:
    node = maps.graph.nodes[name]
    if name == INPUT:
        pixels = range(node.shape[1 + axis])
        return ReceptiveField(tuple((pixel, pixel + 1) for pixel in pixels), Grid(1, 1, 0))
    sources = [source for source in node.inputs if source in maps.depending]
    if maps.axes[name] is None:
        everything = _hull(interval for source in sources for interval in fields[source].seen)
        return ReceptiveField((everything,), None)
    seen = [NOTHING] * maps.side(name, axis)
    grids = set()
    for source in sources:
        field = fields[source]
        reads = [range(len(field.seen))] * len(seen)
        if maps.axes[source] is not None:
            reads = maps.places(name, source, axis)
        for unit, places in enumerate(reads):
            seen[unit] = _hull([seen[unit], *(field.seen[place] for place in places)])
        grids.add(_grid(maps, name, source, axis, field, reads))
    return ReceptiveField(tuple(seen), _common(grids))


def _hull(intervals: Iterable[UnitRange]) -> UnitRange:
    """The smallest interval that holds all of them; empty ones lie nowhere."""
    ends = [interval for interval in intervals if interval[0] < interval[1]]
    if not ends:
        return NOTHING
    return min(first for first, _ in ends), max(end for _, end in ends)


def _grid(
    maps: Maps, name: str, source: str, axis: int, field: ReceptiveField, reads: list[range]
) -> Grid | None:
    """Where units look by way of one input."""
    if field.grid is None:
        return None
    size, stride, start = field.grid
    node = maps.graph.nodes[name]
    walk = steps(node, maps.graph)
    if walk and maps.is_known(name):
        step = walk[axis]
        reach = (step.kernel - 1) * step.dilation
        return Grid(size + reach * stride, stride * step.stride, start - step.padding * stride)
    padded = pads(node)
    if padded and maps.is_known(name):
        return Grid(size, stride, start - padded[axis].before * stride)
    if len(reads) == len(field.seen) and all(len(places) == 1 for places in reads):
        return field.grid
    return None


def _common(grids: set[Grid | None]) -> Grid | None:
    """Where units look that do so by several ways: the hull of all, if they walk in step."""
    if None in grids or len({grid.stride for grid in grids}) != 1:
        return None
    start = min(grid.start for grid in grids)
    end = max(grid.start + grid.size for grid in grids)
    return Grid(end - start, next(iter(grids)).stride, start)

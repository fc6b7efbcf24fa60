"""The states of units against counting by hand."""

import numpy as np

from convprobe.occlusion.states import UnitStates


def test_the_states_of_a_unit_are_the_parts_of_its_field_that_can_be_hidden():
    # Fields of 4 pixels, 2 apart, in an image of 8; the window has 3.
    states = UnitStates(side=8, window=3, units=3, size=4, stride=2)
    # Unit 1 sees pixels 2 to 5. Centred at 0 the window covers none of them, at 1 it covers 2, at 2
    # it covers 2 and 3, at 3 it covers 2 to 4, at 4 it covers 3 to 5, then 4 and 5, then 5, then
    # none.
    assert [states.count((unit, unit)) for unit in range(3)] == [25, 36, 25]
    number = states.at((1, 1), np.arange(8), np.full(8, 3))
    assert [len(set(number[:7])), number[0], number[7]] == [7, 0, 0]
    row, column = states.positions((1, 1))
    assert states.at((1, 1), row, column).tolist() == list(range(1, 37))


def test_layer_by_layer_the_fields_grow_and_so_do_the_states():
    # A kernel of 1, pooled: units see 2 pixels each, of which the window can hide the first, both
    # or the last; of the first unit it can't hide the first alone, of the last not the last alone.
    first = UnitStates.of_pixels(side=8, window=3).convolved(1).pooled()
    assert (first.units, first.size, first.stride) == (4, 2, 2)
    assert [first.count((unit, 1)) for unit in range(4)] == [2 * 3, 3 * 3, 3 * 3, 2 * 3]
    # A kernel of 2: unit 0 sees pixels 0 to 3, of which it can hide 0–1, 0–2, 1–3, 2–3 and 3.
    second = first.convolved(2)
    assert (second.units, second.size, second.stride) == (3, 4, 2)
    assert second.count((0, 0)) == 5 * 5


def test_tiles_hold_every_state_once_and_neighbours_together():
    states = UnitStates(side=40, window=5, units=1, size=40, stride=1)
    row, column = states.positions((0, 0))
    tiles = states.tiles((0, 0))
    starts = [start for start, _ in tiles]
    stops = [stop for _, stop in tiles]
    assert starts == [0, *stops[:-1]]
    assert stops[-1] == states.count((0, 0)) == 1600
    widths = [np.ptp(row[start:stop]) + np.ptp(column[start:stop]) for start, stop in tiles]
    assert max(widths) == 26  # 40 = 14 + 13 + 13

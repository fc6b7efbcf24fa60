"""The states of units against counting by hand."""

import numpy as np

from convprobe.occlusion.states import Positions, UnitStates


def test_the_states_of_a_unit_are_the_parts_of_its_field_that_can_be_hidden():
    # Fields of 4 pixels, 2 apart, in an image of 8; the window has 3.
    states = UnitStates(side=8, windows=[3], units=3, size=4, stride=2)
    # Unit 1 sees pixels 2 to 5. Centred at 0 the window covers none of them, at 1 it covers 2, at 2
    # it covers 2 and 3, at 3 it covers 2 to 4, at 4 it covers 3 to 5, then 4 and 5, then 5, then
    # none.
    assert [states.count((unit, unit)) for unit in range(3)] == [25, 36, 25]
    number = states.at((1, 1), Positions(np.zeros(8, int), np.arange(8), np.full(8, 3)))
    assert [len(set(number[:7])), number[0], number[7]] == [7, 0, 0]
    assert states.at((1, 1), states.positions((1, 1))).tolist() == list(range(1, 37))


def test_layer_by_layer_the_fields_grow_and_so_do_the_states():
    # A kernel of 1, pooled: units see 2 pixels each, of which the window can hide the first, both
    # or the last; of the first unit it can't hide the first alone, of the last not the last alone.
    first = UnitStates.of_pixels(side=8, windows=[3]).convolved(1).pooled()
    assert (first.units, first.size, first.stride) == (4, 2, 2)
    assert [first.count((unit, 1)) for unit in range(4)] == [2 * 3, 3 * 3, 3 * 3, 2 * 3]
    # A kernel of 2: unit 0 sees pixels 0 to 3, of which it can hide 0–1, 0–2, 1–3, 2–3 and 3.
    second = first.convolved(2)
    assert (second.units, second.size, second.stride) == (3, 4, 2)
    assert second.count((0, 0)) == 5 * 5


def test_tiles_hold_every_state_once_and_neighbours_together():
    states = UnitStates(side=40, windows=[5], units=1, size=40, stride=1)
    _, row, column = states.positions((0, 0))
    tiles = states.tiles((0, 0))
    starts = [start for start, _ in tiles]
    stops = [stop for _, stop in tiles]
    assert starts == [0, *stops[:-1]]
    assert stops[-1] == states.count((0, 0)) == 1600
    widths = [np.ptp(row[start:stop]) + np.ptp(column[start:stop]) for start, stop in tiles]
    assert max(widths) == 26  # 40 = 14 + 13 + 13


def test_windows_share_the_states_in_which_they_hide_the_same():
    states = UnitStates(side=8, windows=[3, 5], units=3, size=4, stride=2)
    alone = [UnitStates(8, [window], 3, 4, 2) for window in (3, 5)]
    # Unit 1 sees pixels 2 to 5. A window of 3 hides 2, 2-3, 2-4, 3-5, 4-5 or 5 of them; one of 5
    # hides 2 (centred at 0), 2-3, 2-4, 2-5 (3 and 4), 3-5, 4-5 or 5: all of these and 2-5.
    assert [one.count((1, 1)) for one in alone] == [6**2, 7**2]
    assert states.count((1, 1)) == 7**2
    # Unit 0 sees pixels 0 to 3; the windows of 3 hide 0-1, 0-2, 1-3, 2-3 and 3, and those of 5
    # hide 0-2, 0-3, 1-3, 2-3 and 3: four runs are the same, and 16 pairs of them.
    assert [one.count((0, 0)) for one in alone] == [5**2, 5**2]
    assert states.count((0, 0)) == 2 * 5**2 - 4**2
    positions = states.positions((0, 0))
    assert states.at((0, 0), positions).tolist() == list(range(1, 35))


def test_every_place_that_hides_the_same_is_one_state_and_no_other():
    windows = (1, 3, 7)
    states = UnitStates(side=11, windows=windows, units=4, size=5, stride=2)
    window, row, column = np.indices((3, 11, 11)).reshape(3, -1)
    half = np.array(windows)[window] // 2
    for unit in states.all_units():
        hidden = []
        for first, centre in zip(np.array(unit) * 2, (row, column), strict=True):
            pixels = first + np.arange(5)
            hidden.append(abs(pixels - centre[:, None]) <= half[:, None])
        parts = (hidden[0][:, :, None] & hidden[1][:, None, :]).reshape(len(row), -1)
        _, expected = np.unique(parts, axis=0, return_inverse=True)
        found = states.at(unit, Positions(window, row, column))
        pairs = set(zip(found.tolist(), expected.ravel().tolist(), strict=True))
        assert len(pairs) == len(set(found.tolist())) == expected.max() + 1
        assert (found == 0).tolist() == (~parts.any(1)).tolist()
        assert sorted(set(found.tolist()) - {0}) == list(range(1, 1 + states.count(unit)))

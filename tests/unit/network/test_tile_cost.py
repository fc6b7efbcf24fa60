"""Where convolutions by tiles pay."""

import pytest

from convprobe.network import tile_cost


@pytest.mark.parametrize(
    ("inputs", "outputs", "side", "pays"),
    [
        (256, 1024, 12, True),  # of the published network
        (1024, 2048, 4, True),
        (64, 256, 12, True),
        (16, 32, 12, False),  # more ways to the points than products there
        (256, 256, 1, False),  # one output of 16
        (256, 256, 5, False),  # 25 outputs of 64
    ],
)
def test_tiles_pay_where_products_outweigh_the_way_to_them(inputs, outputs, side, pays):
    assert tile_cost.pays(inputs, outputs, side, side) == pays

"""Where convolutions by tiles pay."""

import pytest

from convprobe.network import tile_cost


@pytest.mark.parametrize(
    ("inputs", "outputs", "side", "images", "pays"),
    [
        (256, 1024, 12, 500, True),  # of the published network
        (1024, 2048, 4, 500, True),
        (64, 256, 12, 500, True),
        (16, 32, 12, 500, False),  # more ways to the points than products there
        (256, 256, 1, 500, False),  # one output of 16
        (256, 256, 5, 500, False),  # 25 outputs of 64
        (256, 1024, 12, 4, True),  # a training's small batches: many tiles for each weight,
        (1024, 2048, 4, 8, False),  # or one
        (1024, 2048, 4, 32, True),
    ],
)
def test_tiles_pay_where_products_outweigh_the_way_to_them(inputs, outputs, side, images, pays):
    assert tile_cost.pays(inputs, outputs, side, side, images) == pays

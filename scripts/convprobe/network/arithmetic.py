"""How many multiply-adds a forward pass and an occlusion map take, and how many weights there are.

Plain Python and no torch: it serves the estimate with which a run starts, and the choice of the way in
which the maps are computed.
"""

from convprobe.network import receptive_field
from convprobe.network.receptive_field import Stage

POOL = Stage._field_defaults["pool"]  # of every stage that incremental.Incremental can take
CALL = 400_000  # multiply-adds that take as long as the overhead of one matrix product


def forward(network, side, classes):
    """Multiply-adds of one image's forward pass.

    Args:
        network: the config's `network`.
        side: of the image, in pixels.
        classes: number of outputs.
    """
    layers = _layers(network, side, classes)
    return sum(units**2 * kernel**2 * inputs * outputs for kernel, inputs, outputs, units in layers)


def weights(network, side, classes):
    """Number of weights and biases."""
    return sum(
        (kernel**2 * inputs + 1) * outputs
        for kernel, inputs, outputs, _ in _layers(network, side, classes)
    )


def occlusion_map(network, side, classes, window, call=CALL):
    """Multiply-adds of one image's map by incremental.Incremental, with its overhead.

    Infinite where it can't: its stages have stride 1, no padding, and are pooled 2×2. Channels that don't
    change, which only the image can tell, are not left out.

    Args:
        network, side, classes: as in `forward`.
        window: side in pixels.
        call: the overhead of a matrix product, in multiply-adds.
    """
    if any(
        stage != Stage(stage.channels, stage.kernel) for stage in receptive_field.stages(network)
    ):
        return float("inf")
    (kernel, inputs, outputs, _), *layers = _layers(network, side, classes)
    states = list(_states_by_layer(network, side, window))
    total = forward(network, side, classes)
    total += (
        sum(states[0]) ** 2 * inputs * outputs * POOL**2 * (kernel + POOL - 1) ** 2
        + call * len(states[0]) ** 2
    )
    for (kernel, inputs, outputs, units), counts in zip(layers, states, strict=False):
        # An input unit is read by as many units as its place leaves within the map.
        read = [min(unit + 1, kernel, units, len(counts) - unit) for unit in range(len(counts))]
        total += (
            sum(map(int.__mul__, counts, read)) ** 2 * inputs * outputs
            + call * (units * kernel) ** 2
        )
    tail = layers[len(states) :]
    return total + side**2 * sum(inputs * outputs for _, inputs, outputs, _ in tail)


def _layers(network, side, classes):
    """Yield (kernel, inputs, outputs, units a side), a fully connected layer being one unit that sees all."""
    width = 3
    sides = receptive_field.pooled_sides(network, side).values()
    for stage, pooled in zip(receptive_field.stages(network), sides, strict=True):
        yield stage.kernel, width, stage.channels, receptive_field.convolved_side(stage, side)
        side, width = pooled, stage.channels
    for outputs in [*network["fc"], classes]:
        yield side, width, outputs, 1
        side, width = 1, outputs


def _states_by_layer(network, side, window):
    """Yield, for each layer's pooled units along an axis, how many parts of a unit's field can be hidden."""
    for field in receptive_field.of_pooled_maps(network, side).values():
        yield [_states(first, last, side, window // 2) for first, last in field.seen]


def _states(first, last, side, half):
    parts = ((max(at - half, first), min(at + half + 1, last)) for at in range(side))
    return len({(low, high) for low, high in parts if low < high})

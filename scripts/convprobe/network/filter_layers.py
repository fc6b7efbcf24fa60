"""The layers of a network that have filters: its convolutions, and where their maps are taken."""

from typing import NamedTuple

from convprobe.network import receptive_field
from convprobe.network.graph import ITEM, Graph, Node
from convprobe.network.operators import CONVOLUTIONS, Maps
from convprobe.network.receptive_field import Fields


class FilterLayer(NamedTuple):
    """A convolution and the maps of its filters.

    Attributes:
        name: path of the module, as in `layer1.0.conv1`; a module that is used again has its number
            behind it, as in `conv-2`.
        convolution: name of its node.
        steps: names of the nodes that follow it channel by channel, in their order.
        channels: number of filters.
        shape: height and width of the maps.
        fields: what their units see.
    """

    name: str
    convolution: str
    steps: tuple[str, ...]
    channels: int
    shape: tuple[int, int]
    fields: Fields

    @property
    def map(self) -> str:
        """Name of the node whose result holds the filters' maps."""
        return self.steps[-1] if self.steps else self.convolution


def of_graph(graph: Graph) -> dict[str, FilterLayer]:
    """The layers by name, in the order in which they are computed.

    The map of a filter is its channel after the operators that follow its convolution channel by
    channel (batch normalisation, activation, pooling), up to the first one that mixes channels, or
    where paths meet or part.
    """
    maps = Maps(graph)
    users = graph.users()
    followed = {}
    for node in graph.nodes.values():
        is_of_image = node.name in maps.depending and maps.axes[node.name] == (1, 2)
        if node.kind in CONVOLUTIONS and is_of_image:
            followed[node.name] = _followers(node, maps, users)
    ends = [steps[-1] if steps else name for name, steps in followed.items()]
    fields = receptive_field.of_maps(maps, ends)
    layers = {}
    for (convolution, steps), end in zip(followed.items(), ends, strict=True):
        name = _free_name(graph.nodes[convolution], layers)
        channels, *shape = graph.nodes[end].shape
        layers[name] = FilterLayer(name, convolution, steps, channels, tuple(shape), fields[end])
    return layers


def _followers(node: Node, maps: Maps, users: dict[str, list[Node]]) -> tuple[str, ...]:
    names = []
    while len(users[node.name]) == 1:
        (node,) = users[node.name]
        if not maps.is_channelwise(node) or _has_other_results(node, users):
            break
        names.append(node.name)
    return tuple(names)


def _has_other_results(node: Node, users: dict[str, list[Node]]) -> bool:
    """Whether more than the first result of a node is used, as of a pooling that gives places."""
    return any(user.kind == ITEM and user.arguments[1] != 0 for user in users[node.name])


def _free_name(node: Node, taken: dict[str, FilterLayer]) -> str:
    path = node.layer or node.name
    name = path
    number = 1
    while name in taken:
        number += 1
        name = f"{path}-{number}"
    return name


def split_name(filter_name: str) -> tuple[str, int]:
    """Layer and channel of a filter: `conv2/400` is ("conv2", 400)."""
    layer, _, channel = filter_name.rpartition("/")
    return layer, int(channel)

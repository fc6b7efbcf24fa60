"""A network as a graph of operators, and its form in a file.

Plain Python, so that a Snakefile can use it. A graph is made of the config's `network`, see
`chain`, or of a module of PyTorch, see `tracing`; either is computed by `execution`.
"""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

NAMESPACE = "aten"  # of PyTorch's operators; no other ones are computed
INPUT = "image"  # name of the node that stands for the normalised image
ITEM = "getitem"  # takes one of several results of an operator; not one of PyTorch's own


class Value(NamedTuple):
    """An argument: the result of another node."""

    name: str


class Weight(NamedTuple):
    """An argument: a tensor of the state dict, or a constant of the graph."""

    name: str


class Other(NamedTuple):
    """An argument that JSON has no form for.

    Attributes:
        kind: `dtype`, `layout`, `memory_format` or `device`.
        name: as PyTorch prints it; of a device nothing, it is that of the weights.
    """

    kind: str
    name: str


FORMS = {"value": Value, "weight": Weight, "other": Other}


@dataclass(frozen=True)
class Node:
    """An operator and what it is given.

    Attributes:
        operator: of PyTorch, as in `aten.conv2d.default`; ITEM; or INPUT.
        arguments: by place; Value, Weight, Other, plain values or lists of these.
        keywords: by name, likewise.
        shape: of the result for one image, without the axis of images; of the first one if there
            are several. None if it has no such axis in front, or is no tensor.
        layer: path of the module that it belongs to.
        fixed_shape: of a result without an axis of images, as of a weight that is computed.
    """

    name: str
    operator: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    layer: str = ""
    fixed_shape: tuple[int, ...] | None = None

    @property
    def kind(self) -> str:
        """The operator's name alone, as in `conv2d`."""
        return self.operator.split(".")[1] if "." in self.operator else self.operator

    @property
    def inputs(self) -> list[str]:
        """Names of the nodes whose results it is given, each once, by their first place."""
        values = within((*self.arguments, *self.keywords.values()), Value)
        return list(dict.fromkeys(value.name for value in values))

    @property
    def weights(self) -> list[str]:
        """Names of the tensors that it is given."""
        weights = within((*self.arguments, *self.keywords.values()), Weight)
        return [weight.name for weight in weights]

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument that may be given by place or by name."""
        if place < len(self.arguments):
            return self.arguments[place]
        return self.keywords.get(name, default)


def within(argument: Any, kind: type) -> Iterator[Any]:
    """Yield arguments of one kind, also those in lists."""
    if isinstance(argument, kind):
        yield argument
    elif isinstance(argument, list) or type(argument) is tuple:
        for item in argument:
            yield from within(item, kind)


@dataclass(frozen=True)
class Graph:
    """A network in evaluation mode.

    Attributes:
        nodes: by name, each after those that it is given; the first one is the image.
        output: name of the node whose result are the logits.
        weights: shape and type of each tensor of the state dict, by name.
        constants: tensors that are no part of it: `dtype`, `shape` and `data` (base64), by name.
    """

    nodes: Mapping[str, Node]
    output: str
    weights: Mapping[str, tuple[tuple[int, ...], str]]
    constants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the image."""
        return self.nodes[INPUT].shape

    @property
    def classes(self) -> int:
        """How many logits there are."""
        return self.nodes[self.output].shape[-1]

    def tensor_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor of the state dict, or of a constant."""
        if name in self.weights:
            return self.weights[name][0]
        return tuple(self.constants[name]["shape"])

    def weight_shape(self, weight: Weight | Value) -> tuple[int, ...] | None:
        """Shape of a weight, also of one that is computed; None if that depends on the images."""
        if isinstance(weight, Weight):
            return self.tensor_shape(weight.name)
        return self.nodes[weight.name].fixed_shape

    def users(self) -> dict[str, list[Node]]:
        """Of each node those that are given its result."""
        users = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            for name in node.inputs:
                users[name].append(node)
        return users

    def needed(self, wanted: Iterable[str], known: Container[str] = ()) -> list[Node]:
        """The nodes that have to be computed for the results of some, in their order.

        Args:
            known: names of nodes whose results are there.
        """
        waiting = {name for name in wanted if name not in known}
        needed = []
        for node in reversed(list(self.nodes.values())):
            if node.name in waiting:
                needed.append(node)
                waiting.update(name for name in node.inputs if name not in known)
        return needed[::-1]

    def to_json(self) -> str:
        """Text of which `from_json` makes an equal graph; equal graphs give equal text."""
        nodes = []
        for node in self.nodes.values():
            plain = {key: _plain(value) for key, value in vars(node).items()}
            nodes.append(plain)
        content = {
            "nodes": nodes,
            "output": self.output,
            "weights": self.weights,
            "constants": self.constants,
        }
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> "Graph":
        """Read what `to_json` wrote."""
        content = json.loads(text)
        nodes = {}
        for plain in content["nodes"]:
            fields = {key: _parsed(value) for key, value in plain.items()}
            fields["arguments"] = tuple(fields["arguments"])
            for key in ("shape", "fixed_shape"):
                if fields[key] is not None:
                    fields[key] = tuple(fields[key])
            nodes[fields["name"]] = Node(**fields)
        weights = {}
        for name, (shape, dtype) in content["weights"].items():
            weights[name] = (tuple(shape), dtype)
        if not {INPUT, content["output"]} <= nodes.keys():
            raise ValueError("the image or the output is missing")
        return cls(nodes, content["output"], weights, dict(content["constants"]))


def _plain(argument: Any) -> Any:
    """An argument in the form of JSON: of one that has none, its kind and its fields."""
    for key, form in FORMS.items():
        if isinstance(argument, form):
            return {key: list(argument)}
    if isinstance(argument, list | tuple):
        return [_plain(item) for item in argument]
    if isinstance(argument, Mapping):
        return {"keywords": {key: _plain(value) for key, value in argument.items()}}
    return argument


def _parsed(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_parsed(item) for item in plain]
    if isinstance(plain, dict):
        ((key, value),) = plain.items()
        if key == "keywords":
            return {name: _parsed(item) for name, item in value.items()}
        return FORMS[key](*value)
    return plain

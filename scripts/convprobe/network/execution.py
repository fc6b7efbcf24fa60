"""Computing a network's graph, node by node."""

import base64
import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from convprobe.errors import InputError
from convprobe.network import pooling, winograd
from convprobe.network.convolution import convolved
from convprobe.network.graph import INPUT, ITEM, NAMESPACE, Graph, Node, Other, Value, Weight

# Traced where tensors lay in one order in memory; here they may lie in another.
REPLACED = dict.fromkeys(("aten.view.default", "aten._unsafe_view.default"), "aten.reshape.default")
# These take numbers together that lie side by side in memory.
IN_ROWS = ("aten.view_as_complex.default", "aten.view.dtype")
SIZES = "aten::sym_"  # before the names of operators that give the size of a tensor
CONV2D = torch.ops.aten.conv2d.default
NUMBERS = "operator."  # before the names of Python's own operators, on numbers of images
NodeResults = dict[str, Any]  # of nodes, by name: tensors, lists of them, numbers of images


class Execution:
    """A graph with its weights.

    Attributes:
        graph: what is computed.
        tensors: weights and constants by name, on the device of the computation.
        kept: what is made of convolutions' weights, as for `winograd.convolved`.
    """

    def __init__(self, graph: Graph, module: nn.Module) -> None:
        """Bring graph and weights together.

        Args:
            module: has the weights in its state dict; they are used as they are, and must not
                change later.
        """
        self.graph = graph
        self.tensors = dict(module.state_dict())
        device = next(iter(self.tensors.values())).device if self.tensors else torch.device("cpu")
        self.device = device
        for name, constant in graph.constants.items():
            self.tensors[name] = _constant(constant).to(device)
        self.kept: winograd.Kept = {}
        self._calls = {}
        for node in graph.nodes.values():
            if node.name != INPUT:
                call = operator_of(node)
                if call == CONV2D and isinstance(node.argument(1, "weight"), Weight):
                    call = functools.partial(conv2d, kept=self.kept)
                elif call == pooling.MAX_POOL2D:
                    call = pooling.max_pool2d
                self._calls[node.name] = call

    def logits(self, images: Float[Tensor, "image channel y x"]) -> Float[Tensor, "image class"]:
        """What comes out for normalised images."""
        return self.results(images, [self.graph.output])[self.graph.output]

    def results(
        self,
        images: Float[Tensor, "image channel y x"],
        wanted: Iterable[str],
        known: Mapping[str, Any] | None = None,
    ) -> NodeResults:
        """The results of some nodes; what nobody needs any more is forgotten on the way.

        Args:
            images: normalised.
            wanted: names of the nodes; what none of them needs is not computed.
            known: results that are not computed again, nor what only they need.
        """
        return dict(self.each(images, wanted, known))

    def each(
        self,
        images: Float[Tensor, "image channel y x"],
        wanted: Iterable[str],
        known: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """Yield the name and the result of each wanted node as soon as it is there.

        It is held only as long as others need it.

        Args:
            images, wanted, known: as in `results`.
        """
        wanted = set(wanted)
        results = {INPUT: images, **(known or {})}
        for name in wanted & results.keys():
            yield name, results[name]
        needed = self.graph.needed(wanted, results)
        last_use = {node.name: node.name for node in needed}
        last_use.update({name: node.name for node in needed for name in node.inputs})
        for node in needed:
            results[node.name] = self.result(node, results)
            if node.name in wanted:
                yield node.name, results[node.name]
            for name in (node.name, *node.inputs):
                if last_use[name] == node.name:
                    del results[name]

    def result(self, node: Node, results: Mapping[str, Any]) -> Any:
        """What comes out of one node.

        Args:
            results: of its inputs.
        """
        arguments = [self.argument(argument, results) for argument in node.arguments]
        keywords = {key: self.argument(value, results) for key, value in node.keywords.items()}
        return self._calls[node.name](*arguments, **keywords)

    def argument(self, argument: Any, results: Mapping[str, Any]) -> Any:
        """An argument as PyTorch takes it."""
        if isinstance(argument, Value):
            return results[argument.name]
        if isinstance(argument, Weight):
            return self.tensors[argument.name]
        if isinstance(argument, Other):
            return self.device if argument.kind == "device" else named(argument.name)
        if isinstance(argument, list):
            return [self.argument(item, results) for item in argument]
        return argument


def conv2d(
    maps: Float[Tensor, "image channel y x"],
    weight: Float[Tensor, "output input kernel_y kernel_x"],
    bias: Float[Tensor, " output"] | None = None,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
    kept: winograd.Kept | None = None,
) -> Float[Tensor, "image output convolved_y convolved_x"]:
    """PyTorch's operator of that name, the fastest way where both axes are alike.

    Args:
        kept: as for `winograd.convolved`.
    """
    strides, paddings, dilations = map(set, (stride, padding, dilation))
    are_alike = max(map(len, (set(weight.shape[2:]), strides, paddings))) == 1
    if are_alike and dilations == {1} and groups == 1:
        return convolved(maps, weight, bias, *strides, *paddings, kept=kept)
    return CONV2D(maps, weight, bias, stride, padding, dilation, groups)


def operator_of(node: Node) -> Callable[..., Any]:
    """The function that computes a node.

    Raises:
        InputError: it is none of PyTorch's that only compute; a graph from elsewhere could name
            any.
    """
    if node.operator == ITEM:
        return operator.getitem
    if node.operator.startswith(NUMBERS):
        return _of_numbers(node)
    if node.kind == "as_strided":
        raise InputError(
            f"{node.name}{_place(node)} is computed by as_strided, whose result depends on how "
            "images lie in memory: expected an operator of their axes, such as unfold"
        )
    namespace, _, rest = REPLACED.get(node.operator, node.operator).partition(".")
    name, _, overload = rest.partition(".")
    packet = getattr(torch.ops.aten, name, None) if namespace == NAMESPACE else None
    found = getattr(packet, overload, None)
    if not isinstance(found, torch._ops.OpOverload) or not _only_computes(found):
        raise _not_computed(node)
    if node.operator in IN_ROWS:
        return functools.partial(_of_rows, found)
    return found


def _of_rows(compute: Callable[..., Tensor], given: Tensor, *arguments: Any) -> Tensor:
    return compute(given.contiguous(), *arguments)


def _only_computes(found: torch._ops.OpOverload) -> bool:
    """Whether an operator gives a tensor or a size, reads no file and changes nothing."""
    schema = found._schema
    has_file = any(argument.name == "filename" for argument in schema.arguments)
    gives = str(schema.returns[0].type) if schema.returns else "nothing"
    is_useful = "Tensor" in gives or schema.name.startswith(SIZES)
    return is_useful and not has_file and not schema.is_mutable


def _of_numbers(node: Node) -> Callable[..., Any]:
    name = node.operator.removeprefix(NUMBERS)
    if name not in ("add", "sub", "mul", "floordiv", "mod", "neg"):
        raise _not_computed(node)
    return getattr(operator, name)


def _not_computed(node: Node) -> InputError:
    return InputError(
        f"{node.name}{_place(node)} is computed by {node.operator}, expected an operator of "
        "PyTorch's own that gives a tensor and changes none"
    )


def _place(node: Node) -> str:
    return f" in {node.layer}" if node.layer else ""


def named(name: str) -> torch.dtype | torch.layout | torch.memory_format:
    """What PyTorch calls by a name, as in `float32`.

    Raises:
        InputError: that is something else; a graph from elsewhere could name anything.
    """
    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype | torch.layout | torch.memory_format):
        raise InputError(f"{name} is no type, layout or memory format of PyTorch's")
    return found


def _constant(constant: Mapping[str, Any]) -> Tensor:
    data = bytearray(base64.b64decode(constant["data"]))
    dtype = named(constant["dtype"])
    if not data:
        return torch.zeros(constant["shape"], dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).reshape(constant["shape"])

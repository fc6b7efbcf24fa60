"""The graph of a module of PyTorch, as torch.export traces it in evaluation mode."""

import base64
import operator
import warnings
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export.graph_signature import InputKind

from convprobe.errors import InputError, short_reason
from convprobe.network.graph import (
    INPUT,
    ITEM,
    NAMESPACE,
    Graph,
    Node,
    Other,
    Value,
    Weight,
)

EXAMPLES = 2  # images that it is traced with: one alone would be taken for a fixed number
LARGEST_CONSTANTS = 2**24  # bytes of tensors that are no part of the state dict
KINDS = {
    torch.dtype: "dtype",
    torch.layout: "layout",
    torch.memory_format: "memory_format",
}


def trace(module: nn.Module, shape: tuple[int, int, int]) -> Graph:
    """The graph of a module in evaluation mode, for any number of images.

    Args:
        module: from images (image, channel, y, x) to logits (image, class).
        shape: of an image: channels, height and width.

    Raises:
        InputError: it can't be computed or traced, what comes out aren't logits, or it computes by
            other operators than PyTorch's own.
    """
    module.eval()
    example = torch.zeros(EXAMPLES, *shape)
    _refuse_other_results(module, example)
    program = _exported(module, example)
    return _Reader(program, shape).graph()


def _refuse_other_results(module: nn.Module, example: Tensor) -> None:
    """Raise an InputError if the result, also while it is trained, isn't (image, class)."""
    for mode in ("evaluation", "training"):
        module.train(mode == "training")
        try:
            # Batch normalisation must not learn from the example.
            with torch.inference_mode(), _kept_state(module):
                found = module(example)
        except Exception as error:  # a module of someone else's may raise anything
            raise InputError(
                f"can't compute images of shape {tuple(example.shape[1:])} in {mode} "
                f"({short_reason(error)})"
            ) from error
        if not torch.is_tensor(found) or found.ndim != 2 or len(found) != len(example):
            raise InputError(
                f"gives {_described(found)} for {len(example)} images in {mode}, expected a tensor "
                f"(image, class)"
            )
    module.eval()


class _kept_state:
    """A module whose state dict is what it was, after the block."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __enter__(self) -> None:
        state = self.module.state_dict()
        self.state = {name: tensor.clone() for name, tensor in state.items()}

    def __exit__(self, *_: object) -> None:
        self.module.load_state_dict(self.state)


def _described(found: Any) -> str:
    if torch.is_tensor(found):
        return f"a tensor of shape {tuple(found.shape)}"
    return f"an object of type {type(found).__name__}"


def _exported(module: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    any_number = ({0: torch.export.Dim("images", min=1)},)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch's own deprecated parts
            program = torch.export.export(
                module, (example,), strict=False, dynamic_shapes=any_number
            )
            return program.run_decompositions({})
    except Exception as error:  # the tracer meets all that Python can do
        raise InputError(
            f"can't be traced for any number of images ({short_reason(error)})"
        ) from error


class _Reader:
    """Reads the graph of an exported program."""

    def __init__(self, program: torch.export.ExportedProgram, shape: tuple[int, ...]) -> None:
        self.program = program
        self.shape = shape
        self.arguments: dict[str, Value | Weight] = {}  # by name in the program
        self.weights: dict[str, tuple[tuple[int, ...], str]] = {}
        self.constants: dict[str, dict[str, Any]] = {}
        self.nodes = {INPUT: Node(INPUT, INPUT, shape=shape)}

    def graph(self) -> Graph:
        for name, tensor in self.program.state_dict.items():
            self.weights[name] = (tuple(tensor.shape), _name(tensor.dtype))
        for given in self.program.graph_signature.input_specs:
            self._add_given(given)
        output = None
        for node in self.program.graph.nodes:
            if node.op == "call_function":
                self._add(node)
            elif node.op == "output":
                ((output,),) = node.args
        return Graph(self.nodes, self.arguments[output.name].name, self.weights, self.constants)

    def _add_given(self, given: Any) -> None:
        """Add the image, a tensor of the state dict, or a constant."""
        name = given.arg.name
        if given.kind == InputKind.USER_INPUT:
            self.arguments[name] = Value(INPUT)
            return
        if given.target not in self.weights:
            self._add_constant(given.target, self.program.constants[given.target])
        self.arguments[name] = Weight(given.target)

    def _add_constant(self, name: str, tensor: Tensor) -> None:
        content = tensor.detach().cpu().contiguous()
        size = content.numel() * content.element_size()
        if size > LARGEST_CONSTANTS:
            raise InputError(
                f"holds {name} of {size} bytes, which is no part of its state dict: expected a "
                "persistent buffer"
            )
        data = bytes(content.reshape(-1).view(torch.uint8).tolist())
        self.constants[name] = {
            "dtype": _name(content.dtype),
            "shape": list(content.shape),
            "data": base64.b64encode(data).decode(),
        }

    def _add(self, node: fx.Node) -> None:
        name = node.name
        arguments = tuple(self._argument(argument) for argument in node.args)
        keywords = {key: self._argument(value) for key, value in node.kwargs.items()}
        self.nodes[name] = Node(
            name, _operator(node), arguments, keywords, _shape(node), _layer(node)
        )
        self.arguments[name] = Value(name)

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, fx.Node):
            return self.arguments[argument.name]
        if isinstance(argument, list | tuple):
            return [self._argument(item) for item in argument]
        if isinstance(argument, torch.device):
            return Other("device", "")
        for kind, name in KINDS.items():
            if isinstance(argument, kind):
                return Other(name, _name(argument))
        return argument


def _operator(node: fx.Node) -> str:
    if node.target is operator.getitem:
        return ITEM
    if isinstance(node.target, torch._ops.OpOverload):
        if node.target.namespace == NAMESPACE:
            return str(node.target)
        raise InputError(
            f"computes by {node.target}, which is no operator of PyTorch's own, in {_layer(node)}"
        )
    name = getattr(node.target, "__name__", str(node.target))
    if getattr(operator, name, None) is node.target:
        return f"operator.{name}"  # on numbers of images
    raise InputError(f"computes by {name}, expected operators of PyTorch")


def _shape(node: fx.Node) -> tuple[int, ...] | None:
    """Shape of a node's first result for one image; None if images aren't its first axis."""
    found = node.meta.get("val")
    if isinstance(found, list | tuple) and found:
        found = found[0]
    if not torch.is_tensor(found) or found.ndim == 0:
        return None
    images, *shape = found.shape
    if isinstance(images, int) or not all(isinstance(side, int) for side in shape):
        return None
    return tuple(shape)


def _layer(node: fx.Node) -> str:
    """Path of the module that a node belongs to."""
    stack = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values()]
    return paths[-1] if paths else ""


def _name(value: torch.dtype | torch.layout | torch.memory_format) -> str:
    return str(value).removeprefix("torch.")

"""The graph of a module of PyTorch, as torch.export traces it in evaluation mode."""

import base64
import contextlib
import dataclasses
import io
import logging
import operator
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export.graph_signature import InputKind, InputSpec, OutputKind

from convprobe.errors import InputError, short_reason
from convprobe.network.execution import NUMBERS, operator_of
from convprobe.network.graph import (
    INPUT,
    ITEM,
    Graph,
    Node,
    Other,
    Value,
    Weight,
    within,
)

EXAMPLES = 2  # images that it is traced with: one alone would be taken for a fixed number
FIXED = "Constraints violated (images)"  # how PyTorch begins to say that a size can't vary
LARGEST_CONSTANTS = 2**24  # bytes of tensors that are no part of the state dict
SQUEEZE, SQUEEZE_AXES = "aten.squeeze.default", "aten.squeeze.dims"
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
    example = torch.rand(EXAMPLES, *shape, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]):  # dropout must not use up random numbers
        for mode in ("evaluation", "training"):
            module.train(mode == "training")
            _refuse_other_results(_results(module, example, mode), mode)
        module.eval()
        _refuse_chance(module, example)
    return _Reader(module, _exported(module, example), shape).graph()


def _results(module: nn.Module, images: Tensor, mode: str) -> Any:
    """What a module gives, which stays as it is."""
    try:
        # Batch normalisation must not learn from the images.
        with torch.inference_mode(), _kept_state(module):
            return module(images)
    except Exception as error:  # a module of someone else's may raise anything
        raise InputError(
            f"can't compute images of shape {tuple(images.shape[1:])} in {mode} "
            f"({short_reason(error)})"
        ) from error


def _refuse_other_results(result: Any, mode: str) -> None:
    """Raise an InputError if a result isn't (image, class)."""
    if torch.is_tensor(result) and result.ndim == 2 and len(result) == EXAMPLES:
        return
    raise InputError(
        f"gives {_described(result)} for {EXAMPLES} images in {mode}, expected a tensor "
        "(image, class)"
    )


def _refuse_chance(module: nn.Module, images: Tensor) -> None:
    """Raise an InputError if an image's logits depend on more than the image."""
    logits = _results(module, images, "evaluation")
    beside_itself = _results(module, images[:1].expand_as(images).clone(), "evaluation")
    if not torch.allclose(logits[0], beside_itself[0], rtol=1e-3, atol=1e-5, equal_nan=True):
        raise InputError(
            "gives an image other logits when it comes again, or beside another image, in "
            "evaluation: expected that they depend on the image alone"
        )


@contextlib.contextmanager
def _kept_state(module: nn.Module) -> Iterator[None]:
    """After the block the module's state dict is what it was."""
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    try:
        yield
    finally:
        module.load_state_dict(state)


def _described(result: Any) -> str:
    if torch.is_tensor(result):
        return f"a tensor of shape {tuple(result.shape)}"
    return f"an object of type {type(result).__name__}"


def _exported(module: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    any_number = ({0: torch.export.Dim("images", min=1)},)
    try:
        with _silence():
            program = torch.export.export(
                module, (example,), strict=False, dynamic_shapes=any_number
            )
            return program.run_decompositions({})
    except Exception as error:  # the tracer meets all that Python can do
        reason = short_reason(error)
        if reason.startswith(FIXED):
            reason = "it takes their number for fixed, as by len(images): expected images.shape[0]"
        raise InputError(f"can't be traced for any number of images ({reason})") from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep PyTorch from printing what it meets; what matters it raises."""
    before = logging.root.manager.disable
    logging.disable()
    nowhere = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere):
            warnings.simplefilter("ignore")
            with contextlib.redirect_stderr(nowhere):
                yield
    finally:
        logging.disable(before)


class _Reader:
    """Reads the graph of an exported program."""

    def __init__(
        self, module: nn.Module, program: torch.export.ExportedProgram, shape: tuple[int, int, int]
    ) -> None:
        self.module = module
        self.program = program
        self.layers = {path for path, _ in module.named_modules(remove_duplicate=False)}
        self.number: torch.SymInt | None = None  # of images
        self.arguments: dict[str, Value | Weight] = {}  # by name in the program
        self.weights: dict[str, tuple[tuple[int, ...], str]] = {}
        self.constants: dict[str, dict[str, Any]] = {}
        self.nodes = {INPUT: Node(INPUT, INPUT, shape=shape)}

    def graph(self) -> Graph:
        for name, tensor in self.module.state_dict().items():
            self.weights[name] = (tuple(tensor.shape), _name(tensor.dtype))
        given = {node.name: node for node in self.program.graph.nodes}
        for spec in self.program.graph_signature.input_specs:
            self._add_given(spec, given[spec.arg.name])
        for node in self.program.graph.nodes:
            if node.op == "call_function":
                self._add(node)
        whole = Graph(self.nodes, self._output(), self.weights, self.constants)
        needed = [self.nodes[INPUT], *whole.needed([whole.output], [INPUT])]
        for node in needed[1:]:
            operator_of(node)  # refuses what can't be computed
        logits = whole.nodes.get(whole.output)
        if logits is None or logits.shape is None or len(logits.shape) != 1:
            raise InputError(
                "gives logits that aren't computed from the images, or whose number depends on "
                "what these show"
            )
        return dataclasses.replace(whole, nodes={node.name: node for node in needed})

    def _output(self) -> str:
        """Name of the node that gives the logits."""
        results = [
            result
            for result in self.program.graph_signature.output_specs
            if result.kind != OutputKind.USER_INPUT_MUTATION  # each network has images of its own
        ]
        for result in results:
            if result.kind != OutputKind.USER_OUTPUT:
                raise InputError(f"changes {result.target} in evaluation, expected that it stays")
        (result,) = results
        return self.arguments[result.arg.name].name

    def _add_given(self, given: InputSpec, node: fx.Node) -> None:
        """Add the image, a tensor of the state dict, or a constant."""
        name = given.arg.name
        if given.kind == InputKind.USER_INPUT:
            self.arguments[name] = Value(INPUT)
            self.number = node.meta["val"].shape[0]
            return
        if given.target not in self.weights | self.program.constants:
            raise InputError(
                f"holds {given.target}, which its state dict lacks: expected all weights under "
                "their own names"
            )
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
        data = content.reshape(-1).view(torch.uint8).numpy().tobytes()
        self.constants[name] = {
            "dtype": _name(content.dtype),
            "shape": list(content.shape),
            "data": base64.b64encode(data).decode(),
        }

    def _add(self, node: fx.Node) -> None:
        name = node.name
        arguments = tuple(self._argument(argument) for argument in node.args)
        keywords = {key: self._argument(value) for key, value in node.kwargs.items()}
        kind = _operator(node)
        if kind == SQUEEZE:
            # By its axes: of a single image it would take that one's axis away as well.
            (squeezed,) = node.args
            sides = squeezed.meta["val"].shape
            ones = [axis for axis, side in enumerate(sides) if isinstance(side, int) and side == 1]
            kind, arguments = SQUEEZE_AXES, (*arguments, ones)
        self.nodes[name] = Node(
            name,
            kind,
            arguments,
            keywords,
            shape=self._shape(node),
            fixed_shape=_fixed_shape(node),
            layer=self._layer(node, arguments),
        )
        self.arguments[name] = Value(name)

    def _shape(self, node: fx.Node) -> tuple[int, ...] | None:
        """Shape of a node's first result for one image; None if images aren't its first axis."""
        value = node.meta.get("val")
        if isinstance(value, list | tuple) and value:
            value = value[0]
        if not torch.is_tensor(value) or value.ndim == 0:
            return None
        number, *shape = value.shape
        if not isinstance(number, torch.SymInt) or number.node.expr != self.number.node.expr:
            return None
        return tuple(shape) if all(isinstance(side, int) for side in shape) else None

    def _layer(self, node: fx.Node, arguments: tuple[Any, ...]) -> str:
        """Path of the module that a node belongs to.

        Where gradients are off the tracer forgets it: there it is the one that holds the weight.
        """
        stack = node.meta.get("nn_module_stack") or {}
        paths = [path for path, _ in stack.values() if path in self.layers]
        holders = [weight.name.rpartition(".")[0] for weight in within(arguments, Weight)]
        called = [path for path in paths if path]
        held = [path for path in holders if path in self.layers]
        return (called[-1:] or held[:1] or [""])[0]

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


def _fixed_shape(node: fx.Node) -> tuple[int, ...] | None:
    """Shape of a node's result that has no axis of images; None of any other."""
    value = node.meta.get("val")
    if not torch.is_tensor(value) or not all(isinstance(side, int) for side in value.shape):
        return None
    return tuple(value.shape)


def _operator(node: fx.Node) -> str:
    if node.target is operator.getitem:
        return ITEM
    name = getattr(node.target, "__name__", "")
    if getattr(operator, name, None) is node.target:
        return NUMBERS + name
    return str(node.target)


def _name(value: torch.dtype | torch.layout | torch.memory_format) -> str:
    return str(value).removeprefix("torch.")

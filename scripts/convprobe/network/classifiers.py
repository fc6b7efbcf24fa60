"""Networks as the probes and the training take them: from pixels in [0, 1] to logits."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from convprobe.errors import InputError
from convprobe.network.execution import Execution, named
from convprobe.network.graph import Graph, Weight
from convprobe.network.normalisation import RAW


class Classifier(nn.Module):
    """A network that normalises its input itself, so that every probe hands it plain pixels.

    Normalisation isn't part of the state dict.

    Attributes:
        settings: the config's `network`.
        classes: number of outputs.
        image_size: height and width of the input images, in pixels.
        graph: what it computes in evaluation mode of normalised images.
        memory_format: order of the channels in which it is trained.
    """

    settings: Mapping[str, Any]
    classes: int
    image_size: tuple[int, int]
    graph: Graph
    memory_format: torch.memory_format = torch.channels_last

    def __init__(self, normalisation: Mapping[str, Sequence[float]] = RAW) -> None:
        """Keep the normalisation.

        Args:
            normalisation: `mean` and `std` per channel of pixels in [0, 1].

        Raises:
            InputError: a channel has no deviation to divide by.
        """
        super().__init__()
        _refuse_constant_channel(normalisation)
        for name in ("mean", "std"):
            values = torch.tensor(normalisation[name], dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, values, persistent=False)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.mean.device

    def normalised(
        self, images: Float[Tensor, "image channel y x"]
    ) -> Float[Tensor, "image channel y x"]:
        """Images in [0, 1] as the layers take them."""
        return (images - self.mean) / self.std

    @abstractmethod
    def forward(self, images: Float[Tensor, "image channel y x"]) -> Float[Tensor, "image class"]:
        """Logits of images in [0, 1]."""

    def place(
        self, device: torch.device | str, memory_format: torch.memory_format = torch.channels_last
    ) -> None:
        """Move to a device, and put the weights of convolutions into an order of channels.

        What else has four axes stays as it is: a network may depend on its order.
        """
        self.to(device)
        tensors = self.state_dict(keep_vars=True)
        for node in self.graph.nodes.values():
            weight = node.argument(1, "weight") if node.kind == "conv2d" else None
            if isinstance(weight, Weight):
                tensor = tensors[weight.name]
                tensor.data = tensor.data.contiguous(memory_format=memory_format)


def _refuse_constant_channel(normalisation: Mapping[str, Sequence[float]]) -> None:
    deviations = list(normalisation["std"])
    if 0 in deviations:
        raise InputError(
            f"the training images can't be normalised: channel {deviations.index(0)} has one value "
            "everywhere. Expected training.normalise or runs.NAME.normalise to be false or, with "
            "weights, runs.NAME.normalisation"
        )


class _NetworkOfModule(Classifier):
    """A network whose weights are those of a module, by the module's own names.

    Attributes:
        module: has the weights in its state dict.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        graph: Graph,
        module: nn.Module,
        normalisation: Mapping[str, Sequence[float]],
    ) -> None:
        super().__init__(normalisation)
        self.settings = settings
        self.graph = graph
        self.classes = graph.classes
        self.image_size = tuple(graph.image_shape[1:])
        self.module = module

    def state_dict(self, *arguments: Any, **keywords: Any) -> dict[str, Any]:
        """That of the module itself."""
        return self.module.state_dict(*arguments, **keywords)

    def load_state_dict(self, state: Mapping[str, Any], *arguments: Any, **keywords: Any) -> Any:
        """Load that of the module itself."""
        return self.module.load_state_dict(state, *arguments, **keywords)


class TracedNetwork(_NetworkOfModule):
    """A network that is computed by its graph, so that it needs no code of whoever made it.

    It can't be trained; see FactoryNetwork.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        graph: Graph,
        normalisation: Mapping[str, Sequence[float]] = RAW,
    ) -> None:
        """Make room for the weights, which are 0 until they are loaded.

        Raises:
            InputError: the graph does anything else than compute.
        """
        module = nn.Module()
        for name, (shape, dtype) in graph.weights.items():
            _place(module, name, torch.zeros(shape, dtype=named(dtype)))
        Execution(graph, module)
        super().__init__(settings, graph, module, normalisation)

    def forward(self, images: Float[Tensor, "image channel y x"]) -> Float[Tensor, "image class"]:
        return Execution(self.graph, self.module).logits(self.normalised(images))


def _place(root: nn.Module, path: str, tensor: Tensor) -> None:
    """Put a tensor into a module at a path, as in `layer1.0.conv1.weight`."""
    *parts, name = path.split(".")
    for part in parts:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root._modules[part]
    root.register_buffer(name, tensor)


class FactoryNetwork(_NetworkOfModule):
    """A network as its factory made it, which can be trained."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        graph: Graph,
        module: nn.Module,
        normalisation: Mapping[str, Sequence[float]] = RAW,
    ) -> None:
        """Take the module with its weights."""
        super().__init__(settings, graph, module, normalisation)
        if not self._takes(torch.channels_last):
            self.memory_format = torch.contiguous_format

    def forward(self, images: Float[Tensor, "image channel y x"]) -> Float[Tensor, "image class"]:
        inputs = self.normalised(images).contiguous(memory_format=self.memory_format)
        return self.module(inputs)

    def _takes(self, memory_format: torch.memory_format) -> bool:
        """Whether the module computes in this order of the channels of images and weights.

        One that calls `view` on them may not.
        """
        self.place("cpu", memory_format)
        was_training = self.module.training
        images = torch.zeros(2, *self.graph.image_shape).to(memory_format=memory_format)
        self.module.eval()
        try:
            with torch.no_grad():
                self.module(images)
        except RuntimeError:
            return False
        finally:
            self.module.train(was_training)
        return True

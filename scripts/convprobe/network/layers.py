"""The network of a config's `conv` and `fc`, as it is trained and probed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from convprobe.network import chain
from convprobe.network.classifiers import Classifier
from convprobe.network.convolution import EVALUATED, convolved
from convprobe.network.normalisation import RAW
from convprobe.network.pooling import max_pool2d


class Network(Classifier):
    """Stages of convolution, ReLU and max pooling, then fully connected layers.

    A stage has batch normalisation too if its settings ask for it.
    The keys of its state dict are `conv1.weight` … `fc3.bias`, and `norm1.weight` … where a
    convolution is followed by batch normalisation.

    Attributes:
        convolutions: names of the convolutional layers, `conv1` first.
        fully_connected: names of the others, `fc1` first.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        classes: int,
        image_size: tuple[int, int],
        normalisation: Mapping[str, Sequence[float]] = RAW,
    ) -> None:
        """Build the network with PyTorch's default initial weights.

        Args:
            settings: the config's `network`: `conv` (a chain.Stage each), `fc` (widths)
                and `dropout`.
            classes: number of outputs.
            image_size: height and width of the input images, in pixels.
            normalisation: `mean` and `std` per channel of pixels in [0, 1].

        Raises:
            InputError: a layer shrinks the map below 1×1, or a channel has no deviation to divide
                by.
        """
        super().__init__(normalisation)
        self.settings = settings
        self.classes = classes
        self.image_size = image_size
        self.stages = chain.stages(settings)
        channels = len(normalisation["mean"])
        self.graph = chain.graph(settings, image_size, classes, channels)
        self._add_convolutions(channels)
        (width,) = self.graph.nodes[chain.FLAT].shape
        self._add_fully_connected(width)

    def _add_convolutions(self, channels: int) -> None:
        self.convolutions = []
        for number, stage in enumerate(self.stages, start=1):
            convolution = nn.Conv2d(
                channels, stage.channels, stage.kernel, stage.stride, stage.padding
            )
            self.add_module(f"conv{number}", convolution)
            self.convolutions.append(f"conv{number}")
            if stage.batch_norm:
                self.add_module(f"norm{number}", nn.BatchNorm2d(stage.channels))
            channels = stage.channels

    def _add_fully_connected(self, width: int) -> None:
        self.fully_connected = []
        for number, outputs in enumerate([*self.settings["fc"], self.classes], start=1):
            self.add_module(f"fc{number}", nn.Linear(width, outputs))
            self.fully_connected.append(f"fc{number}")
            width = outputs

    def forward(self, images: Float[Tensor, "image channel y x"]) -> Float[Tensor, "image class"]:
        """Logits of images in [0, 1]."""
        *_, (_, maps) = self.pooled_maps(images)
        hidden = maps.flatten(1)
        dropout = self.settings.get("dropout", 0)
        *inner, last = self.fully_connected
        for name in inner:
            layer = self.get_submodule(name)
            hidden = F.relu(layer(F.dropout(hidden, dropout, self.training)))
        layer = self.get_submodule(last)
        return layer(F.dropout(hidden, dropout, self.training))

    def pooled_maps(
        self, images: Float[Tensor, "image channel y x"]
    ) -> Iterator[tuple[str, Float[Tensor, "image channel y x"]]]:
        """Yield each layer's name and its maps after ReLU and pooling, the first layer first.

        Args:
            images: in [0, 1].
        """
        maps = self.normalised(images)
        for number, name in enumerate(self.convolutions):
            maps = self.pooled(number, self.convolved(number, maps))
            yield name, maps

    def convolved(
        self, number: int, maps: Float[Tensor, "image channel y x"]
    ) -> Float[Tensor, "image output convolved_y convolved_x"]:
        """The convolution of a layer, counted from 0."""
        convolution = self.get_submodule(self.convolutions[number])
        stage = self.stages[number]
        images = len(maps) if self.training else EVALUATED
        return convolved(
            maps, convolution.weight, convolution.bias, stage.stride, stage.padding, images
        )

    def pooled(
        self, number: int, maps: Float[Tensor, "image channel y x"]
    ) -> Float[Tensor, "image channel pooled_y pooled_x"]:
        """What follows a layer's convolution: batch normalisation, ReLU and pooling.

        Args:
            number: of the layer, counted from 0.
        """
        stage = self.stages[number]
        if stage.batch_norm:
            maps = self.get_submodule(f"norm{number + 1}")(maps)
        # Pooling first gives the same maps, and leaves fewer values to ReLU.
        return F.relu(max_pool2d(maps, (stage.pool, stage.pool)))


def as_input(pixels: UInt8[Tensor, "image y x channel"]) -> Float32[Tensor, "image channel y x"]:
    """Pixels as the network takes them, in [0, 1]."""
    return pixels.permute(0, 3, 1, 2).float().div_(255)

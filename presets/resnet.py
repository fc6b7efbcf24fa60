"""A small residual network; presets/resnet.yaml names `build`."""

from collections import OrderedDict

from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions, and around them the input itself, or a 1×1 convolution of it."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != channels:
            convolution = nn.Conv2d(inputs, channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(convolution, nn.BatchNorm2d(channels))

    def forward(self, maps: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.conv1(maps)))
        return F.relu(self.norm2(self.conv2(inner)) + self.shortcut(maps))


def build(classes: int, width: int) -> nn.Module:
    """The network, from images to logits."""
    layers = {
        "stem": nn.Conv2d(3, width, 3, padding=1, bias=False),
        "norm": nn.BatchNorm2d(width),
        "relu": nn.ReLU(),
        "pool": nn.MaxPool2d(2),
        "block1": Block(width, width, stride=1),
        "block2": Block(width, 2 * width, stride=2),
        "block3": Block(2 * width, 4 * width, stride=2),
        "mean": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "classifier": nn.Linear(4 * width, classes),
    }
    return nn.Sequential(OrderedDict(layers))

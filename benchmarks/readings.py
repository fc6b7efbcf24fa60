"""Under which reading of the study do ten filters cost 13 points?

    cd results/cifar10
    python ../../benchmarks/readings.py normalised/checkpoints/epoch-13.pth dataset/test-images.h5

Prints CSV, one row per checkpoint and reading: the checkpoint, the reading, how many filters are
switched off, how many images are tested, clean and ablated accuracy, Wilson's 95 % interval of the
ablated accuracy, McNemar's p.
"""

import argparse
import copy
import csv
import sys
from pathlib import Path

import torch

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
from convprobe import intervals  # noqa: E402
from convprobe.ablation import passes  # noqa: E402
from convprobe.dataset import image_file  # noqa: E402
from convprobe.network import checkpoints, devices  # noqa: E402
from convprobe.network.filter_layers import split_name  # noqa: E402
from convprobe.network.normalisation import RAW  # noqa: E402
from convprobe.training import evaluation  # noqa: E402

CHOSEN = (
    "conv1/100", "conv1/200", "conv1/240",
    "conv2/400", "conv2/800", "conv2/1000",
    "conv3/1000", "conv3/2000",
    "conv4/1000", "conv4/2000",
)  # fmt: skip
SHARES = (0.002, 0.01, 0.02, 0.05, 0.1, 0.2)  # of all filters of every layer


def without(network, names):
    """As the study says: the weights and biases of the filters are 0."""
    changed = copy.deepcopy(network)
    for layer, channel in map(split_name, names):
        convolution = changed.get_submodule(layer)
        convolution.weight.data[channel] = 0
        convolution.bias.data[channel] = 0
    return changed


def weights_only(network, names):
    changed = copy.deepcopy(network)
    for layer, channel in map(split_name, names):
        changed.get_submodule(layer).weight.data[channel] = 0
    return changed


def everywhere(network, names):
    """Each index switched off in every layer that has it, whatever layer was meant."""
    channels = {channel for _, channel in map(split_name, names)}
    return without(network, _existing(network, channels))


def up_to(network, names):
    """As if an index were a slice: all filters of the layer up to the first one named."""
    first = {}
    for layer, channel in map(split_name, names):
        first[layer] = min(channel, first.get(layer, channel))
    return without(
        network,
        [f"{layer}/{channel}" for layer, last in first.items() for channel in range(last + 1)],
    )


def ones(network, names):
    """The maps set to 1 instead of 0: by a bias of 1 and weights of 0."""
    changed = without(network, names)
    for layer, channel in map(split_name, names):
        changed.get_submodule(layer).bias.data[channel] = 1
    return changed


def _existing(network, channels):
    layers = {name: network.get_submodule(name).out_channels for name in network.convolutions}
    return [
        f"{layer}/{channel}"
        for layer, width in layers.items()
        for channel in sorted(channels)
        if channel < width
    ]


def random_filters(network, share, seed=0):
    draw = torch.Generator().manual_seed(seed)
    for layer in network.convolutions:
        width = network.get_submodule(layer).out_channels
        for channel in torch.randperm(width, generator=draw)[
            : max(1, round(share * width))
        ].tolist():
            yield f"{layer}/{channel}"


def strongest_filters(network, names):
    """As many filters of each layer, but those whose weights have the largest norm."""
    layers = [layer for layer, _ in map(split_name, names)]
    for layer in dict.fromkeys(layers):
        norms = network.get_submodule(layer).weight.detach().flatten(1).norm(dim=1)
        yield from (
            f"{layer}/{channel}" for channel in norms.topk(layers.count(layer)).indices.tolist()
        )


def is_right(network, images):
    """Whether each image is predicted as its own class."""
    return evaluation.predict(network, images).argmax(1).numpy() == images.labels


def not_normalised(network):
    """The same weights, but pixels in [0, 1] reach them unnormalised."""
    changed = copy.deepcopy(network)
    changed.mean[:] = torch.tensor(RAW["mean"]).view_as(changed.mean)
    changed.std[:] = torch.tensor(RAW["std"]).view_as(changed.std)
    return changed


def rows(network, images, chosen):
    """Yield (reading, filters switched off, clean is right, ablated is right) for each reading."""
    clean = is_right(network, images)
    raw = not_normalised(network)
    strongest = list(strongest_filters(network, chosen))
    readings = {
        "weights and biases 0, as here": (len(chosen), without(network, chosen)),
        "weights 0, biases kept": (len(chosen), weights_only(network, chosen)),
        "maps set to 1": (len(chosen), ones(network, chosen)),
        "the same numbers in every layer": (
            len(_existing(network, {c for _, c in map(split_name, chosen)})),
            everywhere(network, chosen),
        ),
        "as many, with the largest weights": (len(strongest), without(network, strongest)),
        "every filter up to the first one named": (None, up_to(network, chosen)),
        "input not normalised, all filters": (0, raw),
        "input not normalised, chosen off": (len(chosen), without(raw, chosen)),
    }
    for reading, (count, changed) in readings.items():
        yield reading, count, clean, is_right(changed, images)
    # The mean map needs a pass of its own.
    logits = passes.predict(network, [list(chosen)], images, "mean")[0]
    ablated = logits.argmax(1).numpy() == images.labels
    yield "their mean map instead of their map", len(chosen), clean, ablated
    for share in SHARES:
        drawn = list(random_filters(network, share))
        ablated = is_right(without(network, drawn), images)
        yield f"{share:.1%} of all filters at random", len(drawn), clean, ablated


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoints", type=Path, nargs="+", help="of one run, such as its epochs")
    parser.add_argument("images", type=Path)
    parser.add_argument("--count", type=int, default=2000, help="test images")
    parser.add_argument("--chosen", nargs="+", default=CHOSEN)
    arguments = parser.parse_args()
    images = image_file.read(arguments.images, "test", arguments.count)
    table = csv.writer(sys.stdout, lineterminator="\n")
    sys.stdout = sys.stderr  # for the progress
    table.writerow(
        ["checkpoint", "reading", "filters", "images", "clean", "ablated", "low", "high", "p_value"]
    )
    device = devices.choose(threads=1000)
    for path in arguments.checkpoints:
        network = checkpoints.load(path, device).network
        for reading, count, clean, ablated in rows(network, images, arguments.chosen):
            low, high = intervals.wilson(ablated.sum(), len(ablated))
            lost = int((clean & ~ablated).sum())
            gained = int((ablated & ~clean).sum())
            p_value = intervals.mcnemar(lost, gained)
            shown = [f"{value:.4f}" for value in (clean.mean(), ablated.mean(), low, high)]
            table.writerow([path.stem, reading, count, len(ablated), *shown, f"{p_value:.2g}"])


if __name__ == "__main__":
    main()

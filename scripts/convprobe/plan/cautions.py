"""What disappoints: told as a run starts, too few steps and classes without images; at its end, a network at chance."""

import math
import textwrap
from collections.abc import Callable
from pathlib import Path

from convprobe.dataset import listing
from convprobe.plan import config as configs
from convprobe.store import files

# On the drawn shapes, 10 classes, the demo's network reached 9 to 10 % after 56 steps, 9 to 13 after 104, 16 to 19
# after 256, 74 to 77 after 504, and 72 to 96 after 1000 (3 seeds, 8 epochs each).
FEW_STEPS = 500
WIDTH = 79


def told(config: dict, sizes: dict[str, int], read_labels: Callable[..., dict]) -> list[str]:
    """A warning each, in lines of up to 79 characters.

    Args:
        config: the checked config.
        sizes: how many images each split has.
        read_labels: gives the classes of a user's own images, as `listing.labels` does.
    """
    found = [*_few_steps(config, sizes["train"]), *_lacking_classes(config["dataset"], read_labels)]
    return [_warning(line) for line in found]


def at_chance(selections: dict[str, str]) -> list[str]:
    """A warning for each run whose accuracy can't be told from chance.

    Args:
        selections: paths of `selection.json` by run; one that isn't there is passed over.
    """
    found = {run: files.read_json(path) for run, path in selections.items() if Path(path).is_file()}
    return [
        _warning(
            f"the accuracy of {run}, {chosen['test_accuracy']:.1%} at epoch {chosen['epoch']}, can't be told from "
            f"chance: the same answer for every image is right in {chosen['chance']:.1%}"
        )
        for run, chosen in found.items()
        if not chosen["better_than_chance"]
    ]


def _warning(line: str) -> str:
    return textwrap.fill(f"convprobe: warning: {line}", WIDTH, subsequent_indent="    ")


def _few_steps(config: dict, trained: int) -> list[str]:
    runs = {}  # by epochs and batches
    for run in configs.trained_runs(config):
        settings = configs.run_training(config, run)
        batches = math.ceil(trained / settings["batch_size"])
        if settings["epochs"] * batches < FEW_STEPS:
            runs.setdefault((settings["epochs"], batches), []).append(run)
    return [
        f"few training steps for {', '.join(names)}: {epochs * batches}, which is epochs × batches, "
        f"{epochs} × {batches}; below {FEW_STEPS} little is learned: more training.epochs, or a smaller batch_size"
        for (epochs, batches), names in runs.items()
    ]


def _lacking_classes(dataset: dict, read_labels: Callable[..., dict]) -> list[str]:
    if dataset["name"] != "image-folder":
        return []
    labels = read_labels(dataset["path"], **dataset.get("split", {}))
    ranges = listing.ranges(dataset, {split: len(found) for split, found in labels.items()})
    # Those that are held out are of the training images.
    present = {
        split: set(labels.get(split, labels["train"])[slice(*ends)])
        for split, ends in ranges.items()
    }
    return listing.lacking(sorted(set(labels["train"])), present)

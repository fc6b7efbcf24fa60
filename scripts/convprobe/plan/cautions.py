"""Warnings: at the start of a run, of what will disappoint; at its end, of what did."""

import csv
import math
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from convprobe.dataset import kinds, splits
from convprobe.dataset.kinds import ReadLabels
from convprobe.plan import cost, study
from convprobe.store import files

# On the drawn shapes, 10 classes, the demo's network reached 9 to 10 % after 56 steps, 9 to 13
# after 104, 16 to 19 after 256, 74 to 77 after 504, and 72 to 96 after 1000 (3 seeds, 8 epochs
# each).
FEW_STEPS = 500
WIDTH = 79


def at_start(config: dict, sizes: Mapping[str, int], read_labels: ReadLabels) -> list[str]:
    """Warnings of too few training steps, of classes without images and of a network without
    filters, in lines of up to 79 characters.

    Args:
        config: the checked config.
        sizes: how many images each split has.
        read_labels: gives the classes of a user's own images, as `listing.labels` does.
    """
    lines = [
        *_few_steps(config, sizes["train"]),
        *_lacking_classes(config["dataset"], read_labels),
        *_no_filters(config),
    ]
    return [_warning(line) for line in lines]


def slow_here(config: dict) -> list[str]:
    """A warning of each key that asks for bf16, for a CPU that isn't made for it."""
    slow = []
    for run in study.trained_runs(config):
        if study.run_training(config, run)["precision"] == "bf16":
            own = "precision" in config["runs"][run]
            key = f"runs.{study.given_name(config, run)}.precision"
            slow.append(key if own else "training.precision")
    if config["occlusion"]["precision"] == "bf16" and not cost.maps_by_compiled_code(config):
        slow.append("occlusion.precision")
    return [
        _warning(
            f"{key} is bf16, in which this processor is {cost.SLOW_BF16} times as slow: set fp32"
        )
        for key in dict.fromkeys(slow)
    ]


def trained_again(epochs: Mapping[str, list[int]]) -> list[str]:
    """A warning for each run of which epochs are trained again, only for the optimizer's state.

    Args:
        epochs: the epochs whose weights are there, by run, in order.
    """
    warnings = []
    for run, numbers in epochs.items():
        first, last = numbers[0], numbers[-1]
        which = f"epochs {first} to {last} are" if first < last else f"epoch {first} is"
        line = (
            f"{which} trained again for {run}: epoch {last + 1} goes on from the optimizer's state "
            f"after epoch {last}, which was not kept (training.keep_optimizer)"
        )
        warnings.append(_warning(line))
    return warnings


def at_chance(selections: Mapping[str, str]) -> list[str]:
    """A warning for each run whose accuracy can't be told from chance.

    Args:
        selections: paths of `selection.json` by run; one that isn't there is passed over.
    """
    warnings = []
    for run, path in selections.items():
        if not Path(path).is_file():
            continue
        chosen = files.read_json(path)
        if not chosen["better_than_chance"]:
            accuracy = f"{chosen['test_accuracy']:.1%} at epoch {chosen['epoch']}"
            chance = f"the same answer for every image is right in {chosen['chance']:.1%}"
            line = f"the accuracy of {run}, {accuracy}, can't be told from chance: {chance}"
            warnings.append(_warning(line))
    return warnings


def trained_on(classes: str) -> list[str]:
    """A warning for each split that has training images.

    Args:
        classes: path of `classes.csv`; if it isn't there, there is no warning.
    """
    if not Path(classes).is_file():
        return []
    with open(classes, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    warnings = []
    for split in ("test", "validation"):
        in_train = sum(int(row.get(f"{split}_in_train") or 0) for row in rows)
        if in_train:
            count = sum(int(row[split]) for row in rows)
            line = (
                f"{in_train} of {count} {split} images are training images too, pixel for pixel: "
                "the accuracy on them says little of new images"
            )
            warnings.append(_warning(line))
    return warnings


def _warning(line: str) -> str:
    return textwrap.fill(f"convprobe: warning: {line}", WIDTH, subsequent_indent="    ")


def _few_steps(config: dict, trained: int) -> Iterator[str]:
    """A line for all runs that take the same, too small number of steps."""
    runs = {}  # by epochs and batches
    for run in study.trained_runs(config):
        settings = study.run_training(config, run)
        batches = math.ceil(trained / settings["batch_size"])
        if settings["epochs"] * batches < FEW_STEPS:
            runs.setdefault((settings["epochs"], batches), []).append(run)
    for (epochs, batches), names in runs.items():
        steps = f"{epochs * batches}, which is epochs × batches, {epochs} × {batches}"
        advice = "more training.epochs, or a smaller batch_size"
        yield (
            f"few training steps for {', '.join(names)}: {steps}; below {FEW_STEPS} little is "
            f"learned: {advice}"
        )


def _no_filters(config: dict) -> Iterator[str]:
    if not study.has_filters(config):
        without = f"{config['network']['factory']} makes a network {study.WITHOUT_FILTERS}"
        yield f"filters and ablation are left out: {without}"


def _lacking_classes(dataset: kinds.Settings, read_labels: ReadLabels) -> list[str]:
    kind = kinds.of(dataset)
    labels = kind.labels(dataset, read_labels)
    if labels is None:
        return []
    present = {}
    available = kind.counts(dataset, read_labels)
    by_class = labels["train"] if kind.is_ordered_by_class else None
    for split, places in splits.places(dataset, available, by_class).items():
        whole = labels.get(split, labels["train"])
        present[split] = {whole[place] for place in places}
    return splits.lacking(sorted(set(labels["train"])), present)

"""What does the network lose without some of its filters?"""

import copy

import numpy as np
import pandas as pd
import torch

from convprobe import evaluation, runtime
from convprobe.network import split_name


def switch_off(network, filters):
    """A copy of a network in which the maps of some filters are 0 everywhere.

    A filter's weights and its bias are zeroed: ReLU and max pooling leave a 0. The weights alone
    would leave a constant map wherever the bias is positive.

    Args:
        network: left as it is.
        filters: names, `conv2/400`.
    """
    ablated = copy.deepcopy(network)
    with torch.no_grad():
        for name in filters:
            layer, channel = split_name(name)
            convolution = ablated.get_submodule(layer)
            convolution.weight[channel] = 0
            convolution.bias[channel] = 0
    return ablated


def draw_controls(network, filters, count, seed):
    """Random filters to compare with: as many per layer as were chosen.

    Returns:
        `count` lists of names; a layer's filters are drawn without replacement from all of them.
    """
    random = np.random.default_rng(seed)
    chosen = pd.Series([layer for layer, _ in map(split_name, filters)]).value_counts(sort=False)
    draws = []
    for _ in range(count):
        drawn = {
            layer: np.sort(random.choice(network.get_submodule(layer).out_channels, size, replace=False))
            for layer, size in chosen.items()
        }
        draws.append([f"{layer}/{channel}" for layer, channels in drawn.items() for channel in channels])
    return draws


def predictions(network, filters, images, job=runtime.IDLE):
    """What every image is taken for, before and after the filters are switched off.

    Returns:
        pandas.DataFrame of `image, class, before, after, confidence_before, confidence_after`;
        the class columns hold names, confidence is the probability of the true class.
    """
    columns = {"image": images.indices, "class": _names(images, images.labels)}
    states = {"before": network, "after": switch_off(network, filters)}
    logits = {state: evaluation.predict(variant, images, job) for state, variant in states.items()}
    columns |= {state: _names(images, values.argmax(1).numpy()) for state, values in logits.items()}
    each = np.arange(len(images.labels))
    for state, values in logits.items():
        columns[f"confidence_{state}"] = values.softmax(1).numpy()[each, images.labels]
    return pd.DataFrame(columns)


def _names(images, labels):
    return np.array(images.classes)[labels]


def accuracies(network, filters, controls, images, job=runtime.IDLE):
    """Accuracy with nothing, the chosen filters, and each draw of random filters switched off.

    Returns:
        pandas.DataFrame of `variant` (`none`, `chosen`, `random-01` …), `filters` (their names,
        separated by blanks), `images` and `accuracy`.
    """
    variants = {"none": [], "chosen": filters}
    variants |= {f"random-{number:02d}": drawn for number, drawn in enumerate(controls, start=1)}
    rows = []
    for variant, off in variants.items():
        print(f"variant {variant} ({len(rows) + 1}/{len(variants)})", flush=True)
        measured = evaluation.evaluate(switch_off(network, off), images, job)
        names = " ".join(off)
        rows.append(
            {"variant": variant, "filters": names, "images": measured["images"], "accuracy": measured["accuracy"]}
        )
    return pd.DataFrame(rows)


def confusion(table, column, classes):
    """How many images of each true class (row) were taken for each class (column).

    Args:
        table: of `predictions`.
        column: `before` or `after`.
        classes: names, in order.
    """
    counts = pd.crosstab(table["class"], table[column])
    return counts.reindex(index=list(classes), columns=list(classes), fill_value=0)


def class_pairs(table):
    """Images that were right before and are wrong after, counted by class and prediction.

    Returns:
        pandas.DataFrame of `class, predicted, images`, the commonest pair first.
    """
    lost = table[(table["before"] == table["class"]) & (table["after"] != table["class"])]
    counts = lost.groupby(["class", "after"]).size().reset_index(name="images")
    counts = counts.rename(columns={"after": "predicted"})
    return counts.sort_values(["images", "class", "predicted"], ascending=[False, True, True])

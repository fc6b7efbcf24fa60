"""A random network's ablation as the workflow computes it, beside what brute force says."""

import numpy as np
import pandas as pd
import pytest
from unit.ablation.brute_force import (
    CLASSES,
    draw_filters,
    draw_images,
    draw_network,
    logits_without,
)

from convprobe.ablation import passes, tabulation, variants


class Study:
    """A random network, its ablation as the workflow computes it, and what brute force says.

    Attributes:
        filters: names of those switched off, by the variant's name, `clean` and `ablated` included.
        labels, true: of the images; names of the true classes.
        predictions: of variants.predictions.
        variants: of tabulation.read_variants, after a way through `variants.h5`.
        logits: by variant, by brute force.
        expected: names of the classes that these predict.
    """

    def __init__(self, path, mode, seed):
        random = np.random.default_rng(seed)
        network = draw_network(random)
        images = draw_images(random, count=40)
        chosen = sorted(draw_filters(random, network))
        controls = variants.draw_controls(network, chosen, 2, seed)
        others = variants.parts_and_controls(chosen, controls)
        self.predictions = variants.predictions(network, chosen, images, mode)
        logits = passes.predict(network, others.values(), images, mode)
        variants.write_variants(path, others, logits, images, mode, "")
        self.variants = tabulation.read_variants(path, self.predictions, chosen, CLASSES)
        self.filters = {"clean": [], "ablated": chosen, **others}
        self.labels = images.labels
        self.true = [CLASSES[label] for label in images.labels]
        self.logits = {}
        self.expected = {}
        for name, filters in self.filters.items():
            self.logits[name] = logits_without(network, filters, images, mode)
            self.expected[name] = [CLASSES[label] for label in self.logits[name].argmax(1)]

    def is_right(self, variant):
        """Whether brute force predicts each image right."""
        return [one == other for one, other in zip(self.expected[variant], self.true, strict=True)]


@pytest.fixture(
    scope="session",
    params=[("zero", 3), ("weights-only", 7), ("mean", 2)],
    ids=lambda pair: pair[0],
)
def study(request, tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study") / "variants.h5", *request.param)


@pytest.fixture
def predictions():
    """Three images of ants, two of bees, one of a cow: three are lost, one is gained."""
    rows = [
        ("ant", "ant", "bee", 0.9, 0.1),
        ("ant", "ant", "bee", 0.6, 0.4),
        ("ant", "cow", "bee", 0.2, 0.3),
        ("bee", "bee", "bee", 0.8, 0.7),
        ("bee", "bee", "ant", 0.9, 0.2),
        ("cow", "ant", "cow", 0.3, 0.5),
    ]
    columns = ["class", "clean", "ablated", "clean_confidence", "ablated_confidence"]
    return pd.DataFrame(rows, columns=columns).reset_index(names="image")

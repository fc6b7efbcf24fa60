"""The variants' process predicts for another job: what that one would have predicted itself."""

from functools import partial

import numpy as np
import pytest
from unit.ablation.brute_force import draw_filters, draw_images, draw_network

from convprobe.ablation import passes, variants, variants_per_process
from convprobe.job import shared_process
from convprobe.store import hdf5, tables

TAKEN = {variants_per_process.PREDICTIONS: "predictions.csv"}


class Ablation:
    """A random network, and the jobs of its variants and of its predictions."""

    def __init__(self, folder):
        random = np.random.default_rng(5)
        self.folder = folder
        self.network = draw_network(random)
        self.images = draw_images(random, count=30)
        self.chosen = sorted(draw_filters(random, self.network))
        controls = variants.draw_controls(self.network, self.chosen, 2, 0)
        self.filters = variants.parts_and_controls(self.chosen, controls)
        self.shelf = partial(shared_process.shelf, folder, ["code 1"], [])

    def compare(self):
        variants_per_process.write(
            self.folder / "variants.h5",
            self.shelf,
            self.network,
            self.chosen,
            self.filters,
            self.images,
            "zero",
            "0" * 64,
        )
        with hdf5.open_complete(self.folder / "variants.h5") as file:
            return file["variant"].asstr()[:].tolist(), file["predicted"][:]

    def take(self):
        with self.shelf() as shelf:
            return shelf.take({name: self.folder / path for name, path in TAKEN.items()})


@pytest.fixture
def ablation(tmp_path):
    return Ablation(tmp_path / "ablation")


def test_predictions_are_those_of_their_own_job(ablation):
    ablation.compare()
    assert ablation.take()
    expected = variants.predictions(ablation.network, ablation.chosen, ablation.images, "zero")
    found = (ablation.folder / "predictions.csv").read_text()
    assert found == tables.text(expected)


def test_variants_are_those_that_are_asked_for(ablation):
    logits = passes.predict(ablation.network, ablation.filters.values(), ablation.images)
    for _ in range(2):  # with the predictions, and where they were taken before
        names, predicted = ablation.compare()
        assert names == list(ablation.filters)
        np.testing.assert_array_equal(predicted, logits.argmax(2))
        ablation.take()


def test_what_was_taken_is_not_put_there_again(ablation):
    ablation.compare()
    assert ablation.take()
    ablation.compare()
    assert not ablation.take()


def test_variants_are_written_where_the_shelf_is_full(ablation, monkeypatch, capsys):
    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(variants_per_process.tables, "write", fail)
    names, _ = ablation.compare()
    assert names == list(ablation.filters)
    assert "no space" in capsys.readouterr().out
    assert not ablation.take()

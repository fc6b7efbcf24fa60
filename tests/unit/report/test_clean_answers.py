"""How often a network without filters is right, from what was evaluated or occluded."""

import numpy as np
import pytest

from convprobe.report import clean_answers
from convprobe.store import hdf5

LABELS = np.array([0, 2, 2, 0])


@pytest.fixture
def images_path(tmp_path):
    path = tmp_path / "images.h5"
    with hdf5.create(path) as file:
        file.attrs["classes"] = ["ant", "bee", "cow"]
        file["test/labels"] = LABELS
    return path


def test_an_accuracy_is_that_of_the_test_images(images_path):
    answers = clean_answers.on_test_images(0.75, images_path)
    assert answers == (3, {"ant": 2, "cow": 2})
    assert (answers.images, answers.accuracy) == (4, 0.75)


def test_occluded_images_are_predicted_without_the_window(tmp_path):
    path = tmp_path / "window-3.h5"
    with hdf5.create(path) as file:
        file["class"] = ["ant", "bee", "cow"]
        file["label"] = LABELS
        file["clean_probability"] = np.float32([[6, 3, 1], [5, 1, 4], [0, 1, 9], [4, 5, 1]]) / 10
    assert clean_answers.on_occluded_images(path) == (2, {"ant": 2, "cow": 2})


def test_most_answers_that_are_right_by_chance_are_no_better():
    # Of 10 images, 5 a class: 9 or more by chance with (10 + 1) / 1024, so 8 is not enough.
    halves = {"ant": 5, "bee": 5}
    assert clean_answers.Answers(9, halves).better_than_chance(1)
    assert not clean_answers.Answers(8, halves).better_than_chance(1)
    assert not clean_answers.Answers(9, halves).better_than_chance(3), "chosen among three"

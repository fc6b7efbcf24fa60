"""The kinds of data set: one registry that the config, the plan and the reading ask."""

from pathlib import Path

import numpy as np
import pytest
from own_images import draw

from convprobe.dataset import kinds, shapes, sources
from convprobe.dataset.kinds import KINDS, Kind

SETTINGS = {
    "path": "pictures",
    "train_images": 3,
    "test_images": 2,
    "validation_images": 0,
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def mistakes(name, **changes):
    settings = {"name": name, **SETTINGS, **changes}
    return list(kinds.of(settings).mistakes(settings))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_says_what_it_is(kind):
    assert KINDS[kind.name] is kind
    assert kind.about
    assert kind.path_about


def test_what_has_to_be_there():
    assert mistakes("cifar10") == []  # it is downloaded
    assert mistakes("shapes") == []  # they are drawn
    nothing = "is {}: nothing is there, expected {}"
    published = nothing.format("a.tar.gz", "a folder, or the published .tar.gz")
    own = nothing.format("pictures", "a folder, .tar.gz or .zip of images")
    assert mistakes("cifar10", path="a.tar.gz") == [("path", published)]
    assert mistakes("image-folder") == [("path", own)]
    Path("pictures").mkdir()
    assert mistakes("image-folder") == []


@pytest.mark.parametrize(("key", "value"), [("image_size", 8), ("split", {"test_share": 0.5})])
def test_a_key_that_only_one_s_own_images_have_is_refused_elsewhere(key, value):
    expected = "does not use it: expected it for an image-folder"
    assert mistakes("shapes", **{key: value}) == [(key, f"is given, but shapes {expected}")]
    assert mistakes("cifar10", **{key: value}) == [(key, f"is given, but cifar10 {expected}")]


@pytest.mark.parametrize("key", ["train_images", "test_images"])
def test_there_are_no_shapes_until_they_are_counted(key):
    assert mistakes("shapes", **{key: "all"}) == [
        (key, "is all, but shapes are drawn: expected how many")
    ]


def test_what_the_workflow_reads_of_cifar10():
    cifar10 = KINDS["cifar10"]
    assert cifar10.source("data/mine.tar.gz") == "data/mine.tar.gz"
    assert cifar10.source("data") == "data/cifar-10-python.tar.gz"
    Path("data/cifar-10-batches-py").mkdir(parents=True)
    assert cifar10.source("data") == "data"
    assert KINDS["image-folder"].source("data") is None
    assert KINDS["shapes"].source("data") is None


def test_where_cifar10_can_be_downloaded_to():
    cifar10 = KINDS["cifar10"]
    Path("photos.zip").write_text("images of one's own")
    assert cifar10.is_there("data/new")
    for path in ("photos.zip", "~/data", "gone.tar.gz"):
        assert not cifar10.is_there(path)
    ((_, line),) = cifar10.mistakes({"path": "photos.zip"})
    assert line.startswith("is photos.zip: a file of another kind, expected a folder, ")
    assert cifar10.source("x" * 300) == f"{'x' * 300}/cifar-10-python.tar.gz"


def test_how_many_images_there_are_and_who_has_them():
    for place in ("train/a/0", "train/a/1", "train/b/0", "train/b/1", "test/a/0", "test/b/0"):
        draw(Path("pictures") / f"{place}.png", 1)
    expected = {
        "cifar10": ({"train": 50_000, "test": 10_000}, "cifar10"),
        "image-folder": ({"train": 4, "test": 2}, "pictures"),
        "shapes": ({"train": 3, "test": 2}, "shapes"),
    }
    for name, kind in KINDS.items():
        settings = {"name": name, **SETTINGS}
        assert (kind.counts(settings), kind.holder(settings)) == expected[name]


def test_shapes_of_the_two_splits_differ_and_more_of_one_leave_the_other():
    few = sources.load({"name": "shapes", **SETTINGS})
    more = sources.load({"name": "shapes", **SETTINGS, "train_images": 9})
    assert not np.array_equal(few["train"].pixels[:2], few["test"].pixels)
    assert np.array_equal(few["test"].pixels, more["test"].pixels)
    assert few["test"].masks.shape == (2, shapes.SIDE, shapes.SIDE)


class Grey(Kind):
    """A data set of one grey, as someone may add it."""

    name = "grey"
    about = "one grey"
    path_about = "not used"
    side = 4
    sizes = {"train": 3, "test": 2}  # noqa: RUF012 - read only

    def read(self, settings, path):
        arrays = {}
        for split, count in self.sizes.items():
            pixels = np.full((count, 4, 4, 3), 128, dtype=np.uint8)
            arrays[split] = (pixels, np.zeros(count, dtype=np.int64))
        return arrays, ("grey",)


def test_a_kind_that_is_added_is_loaded_with_nothing_else_changed(monkeypatch):
    monkeypatch.setitem(KINDS, "grey", Grey())
    loaded = sources.load({"name": "grey", **SETTINGS, "validation_images": 1})
    assert {name: len(images.pixels) for name, images in loaded.items()} == {
        "train": 2, "test": 2, "validation": 1,
    }  # fmt: skip


def test_a_kind_has_as_many_classes_as_it_says():
    assert len(shapes.CLASSES) == kinds.KINDS["shapes"].class_count

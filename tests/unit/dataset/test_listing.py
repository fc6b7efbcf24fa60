"""Which images a folder or an archive holds, by their names alone."""

import shutil
import tarfile

import numpy as np
import pytest
from own_images import add, draw, image_bytes, packed, refusal

from convprobe.dataset import image_folder, listing


def test_a_class_that_is_only_in_train_is_fine_one_only_in_test_is_not(pictures):
    draw(pictures / "train" / "c" / "0.png", 5)
    assert image_folder.read(pictures)[1] == ("a", "b", "c")
    draw(pictures / "test" / "d" / "0.png", 5)
    draw(pictures / "test" / "e" / "0.png", 5)
    assert refusal(pictures) == "only in test, never in train: class d, e"


def test_the_same_place_twice_is_refused(pictures):
    above = pictures.parent / "above"
    above.mkdir()
    pictures.rename(above / "pictures")
    draw(above / "again" / "train" / "a" / "0.png", 5)
    both = "again/train/a/0.png and pictures/train/a/0.png have one class and name"
    assert refusal(above) == f"{both}, expected one folder of each name"


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize(
    "place", ["train/0.png", "train/a/more/0.png", "test/a/b/c/0.png", "deep/er/train/a/9.png"]
)
def test_an_image_of_a_split_at_another_depth_is_refused(pictures, kind, place):
    draw(pictures / place, 5)
    told = refusal(packed(pictures, kind))
    assert place in told
    assert told.endswith(" lie at different depths, expected all images at SPLIT/CLASS/NAME")


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize("place", ["val/a/0.png", "drafts/0.png", "val/a/more/0.png"])
def test_an_image_beside_the_splits_is_passed_over(pictures, kind, place):
    draw(pictures / place, 5)
    splits, _ = image_folder.read(packed(pictures, kind))
    assert [len(labels) for _, labels in splits.values()] == [5, 2]


def test_an_entry_that_an_archive_has_twice_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name in ("train/a/0.png", "test/a/0.png", "train/a/0.png"):
            add(archive, name, image_bytes(7))
    assert (
        refusal(tmp_path / "a.tar.gz")
        == "train/a/0.png is there twice, expected one file of each name"
    )


def test_names_may_have_spaces_and_any_letters(pictures, tmp_path):
    for split in ("train", "test"):
        (pictures / split / "a").rename(pictures / split / "größer, {1} 日本")
    (pictures / "test" / "b" / "0.png").rename(pictures / "test" / "b" / "ein Bild.PNG")
    moved = pictures.rename(tmp_path / "meine Bilder ä")
    assert image_folder.read(packed(moved, "zip"))[1] == ("b", "größer, {1} 日本")


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
@pytest.mark.parametrize("content", [None, "0.tif"], ids=["empty", "another form"])
def test_a_class_without_images_is_reported(pictures, kind, content):
    (pictures / "train" / "c").mkdir()
    if content:
        (pictures / "train" / "c" / content).write_bytes(b"an image")
    above = "" if kind == "folder" else "pictures/"
    assert (
        refusal(packed(pictures, kind))
        == f"{above}train/c holds no image, expected some of each class"
    )


@pytest.mark.parametrize(("gone", "told"), [("train", "train"), ("test", "test"), ("", "train")])
def test_a_split_without_images(pictures, gone, told):
    shutil.rmtree(pictures / gone)
    pictures.mkdir(exist_ok=True)
    assert refusal(pictures).startswith(
        f"no image at {told}/CLASS/NAME, expected files that end in .jpg, .jpeg, .png"
    )


@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_one_tree_without_a_split_names_the_key_that_it_needs(tmp_path, kind):
    for place in ("a/0", "a/1", "b/0"):
        draw(tmp_path / "tree" / f"{place}.png", 1)
    above = "" if kind == "folder" else "tree/"
    assert refusal(packed(tmp_path / "tree", kind)) == (
        f"no image at train/CLASS/NAME, but at CLASS/NAME, as {above}a/0.png: "
        "expected folders train and test, or dataset.split to draw the test images"
    )


def test_one_tree_is_split_class_by_class_from_a_seed(tmp_path):
    for red, (class_name, number) in enumerate((c, n) for c in "abc" for n in range(10)):
        draw(tmp_path / "deep" / class_name / f"{number}.png", red)
    splits, classes = image_folder.read(tmp_path, split={"test_share": 0.3, "seed": 1})
    assert classes == ("a", "b", "c")
    assert np.bincount(splits["test"][1]).tolist() == [3, 3, 3]
    reds = {name: set(pixels[:, 0, 0, 0].tolist()) for name, (pixels, _) in splits.items()}
    assert reds["train"] | reds["test"] == set(range(30))
    assert not reds["train"] & reds["test"]
    other = image_folder.read(tmp_path, split={"test_share": 0.3, "seed": 2})[0]["test"][0]
    assert set(other[:, 0, 0, 0].tolist()) != reds["test"]
    draw(tmp_path / "deep" / "d" / "0.png", 90)
    draw(tmp_path / "deep" / "d" / "1.png", 91)
    more = image_folder.read(tmp_path, split={"test_share": 0.3, "seed": 1})[0]["test"][0]
    assert set(more[:, 0, 0, 0].tolist()) - {90, 91} == reds["test"]


def test_folders_that_are_a_split_are_not_drawn_from(pictures):
    """A dataset.split may be left over from another config file."""
    assert refusal(pictures, split={"test_share": 0.5}) == (
        "has folders train and test, of which dataset.split would draw the test images anew: "
        "expected either these folders or dataset.split"
    )


def test_one_tree_with_an_image_in_two_folders_of_a_name_names_both(tmp_path):
    for place in ("one/a/0", "one/a/1", "two/a/0"):
        draw(tmp_path / f"{place}.png", 1)
    told = "one/a/0.png and two/a/0.png have one class and name, expected one folder of each name"
    assert refusal(tmp_path, {"test_share": 0.5, "seed": 0}) == told


@pytest.mark.parametrize(
    "split", [{}, {"test_share": 0.3, "seed": 1}], ids=["two folders", "one tree"]
)
@pytest.mark.parametrize("kind", ["folder", "tar.gz", "zip"])
def test_classes_are_known_by_names_alone_as_the_images_have_them(tmp_path, kind, split):
    for top in ("",) if split else ("train/", "test/"):
        for red, place in enumerate(("b/1", "a/12", "b/0", "a/2", "a/0", "b/2", "b/3")):
            draw(tmp_path / "tree" / f"{top}{place}.png", red)
    path = packed(tmp_path / "tree", kind)
    splits, classes = image_folder.read(path, split=split)
    found = {name: [classes[label] for label in labels] for name, (_, labels) in splits.items()}
    assert listing.labels(path, **split) == found


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_image_beside_the_classes_of_one_tree_makes_no_class(tmp_path, kind):
    """In an archive with the folder's name on top it lies at CLASS/NAME."""
    folder = tmp_path / "tree"
    for place in ("a/0", "a/1", "b/0", "b/1", "preview", ".hidden/0"):
        draw(folder / f"{place}.png", 1)
    split = {"test_share": 0.5, "seed": 0}
    assert image_folder.read(folder, split=split)[1] == ("a", "b")
    told = "lie at different depths, expected all images at CLASS/NAME"
    assert refusal(packed(folder, kind), split).startswith("tree/preview.png and tree/")
    assert refusal(packed(folder, kind), split).endswith(told)
    (folder / "preview.png").unlink()
    assert image_folder.read(packed(folder, kind), split=split)[1] == ("a", "b")
    (folder / "c").mkdir()
    assert (
        refusal(packed(folder, kind), split) == "tree/c holds no image, expected some of each class"
    )

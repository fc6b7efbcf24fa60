"""What the page holds, against what its tables and maps say."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from convprobe.errors import InputError
from convprobe.report import explorer, packing, tab_data
from convprobe.store import hdf5

CLASSES = ["cat", "dog", "frog"]
PREDICTIONS = pd.DataFrame(
    {
        "image": [0, 1, 2, 3, 4],
        "class": ["cat", "cat", "dog", "dog", "dog"],
        "clean": ["cat", "dog", "dog", "dog", "cat"],
        "ablated": ["dog", "cat", "dog", "frog", "cat"],
        "clean_confidence": [0.9, 0.2, 0.87654, 1.0, 0.0],
        "ablated_confidence": [0.1, 0.8, 0.5, 0.25, 0.0],
    }
)


def accuracy(**changes: float) -> pd.DataFrame:
    """A table as `accuracy.csv`, of the variants' changes."""
    names = list(changes)
    change = pd.Series(list(changes.values()))
    return pd.DataFrame(
        {
            "variant": [name.replace("_", "-") for name in names],
            "accuracy": 0.75 + change,
            "change": change,
            "change_low": change - 0.01,
            "change_high": change + 0.01,
            "lost": range(len(names)),
            "gained": 0,
        }
    )


def numbers_of(text: str) -> np.ndarray:
    return np.frombuffer(packing.inflated(text), "<u2")


@pytest.fixture
def window_path(tmp_path):
    """Maps of one image of 2 by 2 pixels and three classes."""
    by_class = [
        [[0.5, 0.3], [0.1, 0.2]],
        [[0.3, 0.4], [0.8, 0.2]],
        [[0.2, 0.3], [0.1, 0.6]],
    ]
    probability = np.moveaxis(np.array([by_class], np.float32), 1, -1)
    path = tmp_path / "window-3.h5"
    with hdf5.create(path) as file:
        file["probability"] = probability
    return path


def test_maps_are_held_class_by_class_in_units(window_path):
    image = tab_data.image_maps([window_path], row=0, label=0)
    units = numbers_of(image["maps"]["probability"])
    assert units.tolist() == [
        *(5000, 3000, 1000, 2000),
        *(3000, 4000, 8000, 2000),
        *(2000, 3000, 1000, 6000),
    ]


def test_what_is_read_off_the_maps_comes_with_them(window_path):
    image = tab_data.image_maps([window_path, window_path], row=0, label=0)
    once = [0, 1, 1, 2]
    assert numbers_of(image["maps"]["predicted"]).tolist() == [*once, *once]
    assert image["lowest"] == [2, 2]
    assert image["predicted_shares"] == [[[1, 0.5], [0, 0.25], [2, 0.25]]] * 2


def test_a_close_decision_is_made_before_rounding(tmp_path):
    probability = np.array([0.400001, 0.400002, 0.2], np.float32).reshape(1, 1, 1, 3)
    with hdf5.create(tmp_path / "window-3.h5") as file:
        file["probability"] = probability
    image = tab_data.image_maps([tmp_path / "window-3.h5"], row=0, label=0)
    assert numbers_of(image["maps"]["predicted"]).tolist() == [1]


def test_random_draws_are_summed_up():
    table = accuracy(clean=0.0, ablated=-0.2, random_1=-0.3, random_2=-0.1, random_3=-0.06)
    shown = tab_data.variants(table)
    assert shown["clean_accuracy"] == 0.75
    assert [row["variant"] for row in shown["rows"]] == ["ablated"]
    assert shown["rows"][0]["change_low"] == pytest.approx(-0.21)
    draws = {"changes": [-0.3, -0.1, -0.06], "lowest": -0.3, "median": -0.1, "highest": -0.06}
    assert shown["random"] == draws


def test_the_median_of_an_even_number_of_draws_lies_between_two():
    shown = tab_data.variants(accuracy(clean=0.0, ablated=0.0, random_1=-0.3, random_2=-0.1))
    assert shown["random"]["median"] == pytest.approx(-0.2)


def test_no_random_draws_are_none():
    assert tab_data.variants(accuracy(clean=0.0, ablated=-0.2))["random"] is None


def test_confusion_is_counted_with_what_the_ablation_changes():
    assert tab_data.confusion(PREDICTIONS, CLASSES) == {
        "clean": [[1, 1, 0], [1, 2, 0], [0, 0, 0]],
        "ablated": [[1, 1, 0], [1, 1, 1], [0, 0, 0]],
        "change": [[0, 0, 0], [0, -1, 1], [0, 0, 0]],
        "class_images": [2, 3, 0],
        "labels": [0, 1, 2],
        "right": {"clean": [1, 2, 0], "ablated": [1, 1, 0]},
    }


def test_predictions_are_numbers():
    shown = tab_data.listed_predictions(PREDICTIONS, CLASSES, first=0)
    assert shown["class"] == [0, 0, 1, 1, 1]
    assert shown["ablated"] == [1, 0, 1, 2, 0]
    assert shown["clean_confidence"] == [9000, 2000, 8765, 10000, 0]


@pytest.mark.parametrize(
    ("most", "first", "images"), [(3, 0, [0, 1, 3]), (3, 3, [0, 1, 2]), (2, 1, [0, 3])]
)
def test_the_first_images_and_the_lost_ones_are_held_where_not_all_are(
    monkeypatch, most, first, images
):
    monkeypatch.setattr(tab_data, "MOST_PREDICTIONS", most)
    assert tab_data.listed_predictions(PREDICTIONS, CLASSES, first)["image"] == images


def test_a_mask_is_a_bit_for_each_pixel():
    mask = np.array([[True, False, False, True], [False, False, False, False], [True] * 4])
    assert packing.bits(mask) == "kPA="  # as in packing.test.mjs


def test_numbers_are_deflated_with_the_lower_byte_first():
    text = packing.numbers(np.array([1, 256, 65535], np.uint16))
    assert packing.inflated(text) == b"\x01\x00\x00\x01\xff\xff"


def test_a_link_to_no_result_is_refused():
    settings = {
        "probes": ["run/epoch-01", "run/epoch-02"],
        "files": ["run/epoch-01/a.csv", "run/epoch-02/a.csv", "run/epoch-01/b.csv"],
        "links": {"filters": ["a.csv"]},
    }
    assert explorer.links(settings) == {"filters": ["a.csv"]}
    settings["links"] = {"filters": ["a.csv"], "ablation": ["b.csv"]}
    with pytest.raises(InputError, match=r"^links: run/epoch-02/b\.csv is no result"):
        explorer.links(settings)


def test_what_is_written_into_the_page_is_read_from_it(tmp_path):
    data = {"classes": ["</script>", "β & γ"], "side": 2}
    path = tmp_path / "explorer.html"
    path.write_text(explorer.page("A <b> & c", packing.plain(data)), encoding="utf-8")
    found, around = explorer.read(path)
    assert found == data
    assert around == explorer.page("A <b> & c")
    assert "<title>A &lt;b&gt; &amp; c</title>" in around
    assert not [name for name in ("$title", "$style", "$script", "$data") if name in around]


@pytest.mark.parametrize("data", ["", "AAAA", "no base64!"])
def test_a_page_without_data_is_refused(tmp_path, data):
    path = tmp_path / "explorer.html"
    path.write_text(explorer.page("title", data), encoding="utf-8")
    with pytest.raises(InputError, match="holds no data of such a page"):
        explorer.read(path)


def test_what_is_no_page_is_refused(tmp_path):
    path = tmp_path / "explorer.html"
    path.write_text("<html></html>", encoding="utf-8")
    with pytest.raises(InputError, match="holds no data of such a page"):
        explorer.read(path)


def test_a_kernel_is_drawn_with_0_as_grey_and_its_largest_weight_as_the_end_of_a_colour():
    weights = np.zeros((2, 1, 2, 3), np.float32)
    weights[1, 0] = [[0.5, -0.25, 0], [0.125, 0, -0.5]]
    pictures = tab_data.kernel_pictures(weights)
    assert pictures["largest"] == [0, 0.5]
    assert pictures["sprite"]["width"] == 2
    _, _, encoded = pictures["sprite"]["source"].partition(",")
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        pixels = np.asarray(image)
    # Two cells beside each other. Levels of ±0.25 are half of 127 from 128, to the nearest even.
    assert pixels.tolist() == [
        [[128, 128, 128], [128, 128, 128], [255, 64, 128], [160, 128, 1]],
    ]


def test_images_at_quantiles_are_held_by_filter():
    table = pd.DataFrame(
        [("conv1", 2, 1.0, 4, "a", 1.23456), ("conv1", 2, 0.0, 1, "b", 0.0)],
        columns=["layer", "channel", "quantile", "image", "class", "response"],
    )
    assert tab_data.quantile_images(table) == {
        "conv1/2": {
            "quantile": [1, 0],
            "image": [4, 1],
            "response": [1.235, 0],
            "class": ["a", "b"],
        }
    }


@pytest.mark.parametrize(("largest", "held"), [(6, True), (5, False)])
def test_maps_of_a_filter_are_held_in_levels_unless_they_are_large(
    tmp_path, monkeypatch, largest, held
):
    monkeypatch.setattr(tab_data, "LARGEST_MAP", largest)
    maps = np.zeros((4, 2, 3), np.float32)
    maps[3, 1] = [-1, 0, 4]
    with hdf5.create(tmp_path / "activations.h5") as file:
        file["conv1/2/maps"] = maps
    top_images = pd.DataFrame(
        [("conv1", 2, 1, 3), ("conv1", 2, 2, 0), ("conv1", 1, 1, 1)],
        columns=["layer", "channel", "rank", "image"],
    )
    found = tab_data.filter_maps(tmp_path / "activations.h5", top_images, ["conv1/2"])["conv1/2"]
    assert (found["height"], found["width"], found["low"], found["high"]) == (2, 3, -1, 4)
    if held:
        levels = list(base64.b64decode(found["levels"]))
        assert levels == [51, 51, 51, 0, 51, 255, *[51] * 6]
    else:
        assert found["levels"] is None


def test_of_many_classes_the_true_one_and_the_likeliest_have_maps(monkeypatch):
    monkeypatch.setattr(tab_data, "MOST_MAP_CLASSES", 3)
    highest = np.array([0.1, 0.9, 0.2, 0.9, 0.0], np.float32)
    assert tab_data.classes_of_maps(highest, label=4, places=10) == [1, 3, 4]
    assert tab_data.classes_of_maps(highest, label=1, places=10) == [1, 2, 3]
    # Of so many places two classes are all that fits.
    assert tab_data.classes_of_maps(highest, label=4, places=10**6) == [1, 4]


def test_the_maps_of_the_held_classes_are_theirs(window_path, monkeypatch):
    monkeypatch.setattr(tab_data, "MOST_MAP_CLASSES", 2)
    image = tab_data.image_maps([window_path], row=0, label=2)
    assert image["classes"] == [1, 2]
    units = numbers_of(image["maps"]["probability"]).tolist()
    assert units == [3000, 4000, 8000, 2000, 2000, 3000, 1000, 6000]
    assert numbers_of(image["maps"]["predicted"]).tolist() == [0, 1, 1, 2]


def test_of_many_classes_those_are_confused_whose_counts_change_most(monkeypatch):
    monkeypatch.setattr(tab_data, "MOST_CONFUSED", 2)
    counts = tab_data.confusion(PREDICTIONS, CLASSES)
    # One image of a dog is taken for a frog and no longer for a dog; those of cats stay.
    assert counts["labels"] == [1, 2]
    assert counts["clean"] == [[2, 0], [0, 0]]
    assert counts["change"] == [[-1, 1], [0, 0]]
    assert counts["class_images"] == [2, 3, 0]
    assert counts["right"] == {"clean": [1, 2, 0], "ablated": [1, 1, 0]}


def noise(count, side):
    random = np.random.default_rng(0)
    return [random.integers(256, size=(side, side, 3), dtype=np.uint8) for _ in range(count)]


def test_each_filter_has_the_patch_in_its_own_box_of_its_own_image(tmp_path, monkeypatch):
    monkeypatch.setattr(tab_data, "BATCH", 2)
    images = np.array(noise(5, 8))
    with hdf5.create(tmp_path / "images.h5") as file:
        file.attrs["classes"] = CLASSES
        file["test/images"] = images
        file["test/labels"] = np.zeros(len(images), np.int64)
    rows = pd.DataFrame(
        [
            ("conv2", 4, 2.5, 0, 0, 8, 8),
            ("conv2", 0, 0.1, 1, 2, 6, 5),
            ("conv1", 3, 1.0, 0, 5, 2, 8),
            ("conv1", 0, 0.0, 6, 0, 8, 3),  # silent
            ("conv1", 4, 3.0, 3, 3, 4, 4),
        ],
        columns=["layer", "image", "response", "top", "left", "bottom", "right"],
        index=[0, 5, 10, 15, 20],  # as of a table's rows of the first rank
    )
    patches = tab_data.patches_of(rows, tmp_path / "images.h5", 10**9)
    assert set(patches) == {"conv1", "conv2"}
    np.testing.assert_equal(patches["conv2"], [images[4], images[0, 1:6, 2:5]])
    grey = np.full((2, 3, 3), 128)
    expected = [images[3, :2, 5:], grey, images[4, 3:4, 3:4]]
    np.testing.assert_equal(patches["conv1"], expected)
    small = tab_data.patches_of(rows, tmp_path / "images.h5", 30)
    assert max(patch.shape[0] for patch in small["conv2"]) < 8


def test_patches_are_scaled_down_together_until_they_fit():
    patches = {"first": noise(50, 6), "last": noise(40, 40)}
    free = tab_data.patch_sprites(patches, 10**9)
    assert [free[name]["width"] for name in patches] == [6, 40]
    whole = sum(len(sprite["source"]) for sprite in free.values())
    bound = tab_data.patch_sprites(patches, whole // 3)
    assert sum(len(sprite["source"]) for sprite in bound.values()) <= whole // 3
    assert bound["first"]["width"] == 6
    assert 6 < bound["last"]["width"] < 40
    smallest = tab_data.patch_sprites(patches, 1)
    assert {sprite["width"] for sprite in smallest.values()} == {tab_data.SMALLEST_PATCH}


def test_so_many_first_pictures_are_held_as_fit():
    pictures = noise(60, 16)
    free = explorer.first_pictures(pictures, 10**9)
    assert free["pictures"] == 60
    bound = explorer.first_pictures(pictures, len(free["source"]) // 2)
    assert len(bound["source"]) <= len(free["source"]) // 2
    assert 20 <= bound["pictures"] < 30
    assert explorer.first_pictures(pictures, 1)["pictures"] == 1

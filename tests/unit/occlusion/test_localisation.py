"""Do maps find objects? By hand, and against maps that know nothing of their image."""

import itertools

import numpy as np
import pytest
import torch

from convprobe import verdicts
from convprobe.dataset import image_file, shapes
from convprobe.network.layers import Network
from convprobe.occlusion import localisation, window_file, windows
from convprobe.occlusion.window_settings import WindowSettings

SIDE = 16
COVERED = {3: 9, 5: 25}  # pixels of a window that nothing clips


def write_maps(folder, confidence, masks):
    """A window file and an images.h5 of these maps of class 0."""
    count, side = len(confidence), confidence.shape[1]
    pixels = np.zeros((count, side, side, 3), np.uint8)
    images = image_file.Images(
        pixels, np.zeros(count, np.int64), ("a", "b"), np.arange(count), masks
    )
    image_file.write(folder / "images.h5", {"train": images, "test": images})
    probability = np.stack([confidence, 1 - confidence], axis=-1).astype(np.float32)
    settings = WindowSettings(3, 0)
    window_file.write(folder / "w.h5", probability, np.zeros((count, 2)), images, settings, "")
    return localisation.read(folder / "w.h5", folder / "images.h5")


def test_objects_are_looked_for_at_the_positions_of_the_window(tmp_path):
    # Of 5 pixels a stride of 3 leaves 1 and 4.
    masks = np.zeros((4, 5, 5), bool)
    masks[0, 0:3, 0:3] = True  # at the position (0, 0) alone
    masks[1, 1, 3:] = True  # at (0, 1) alone
    masks[2, 2:4, 2:4] = True  # between them: left out
    masks[3, 1:, 1:] = True  # at all of them: left out
    confidence = np.array([[[0.1, 0.9], [0.9, 0.9]], [[0.5, 0.8], [0.2, 0.8]]], np.float32)
    images = image_file.Images(
        np.zeros((4, 5, 5, 3), np.uint8), np.zeros(4, np.int64), ("a", "b"), np.arange(4), masks
    )
    image_file.write(tmp_path / "images.h5", {"train": images, "test": images})
    maps = np.stack([confidence, 1 - confidence], axis=-1).repeat(2, axis=0)[[0, 2, 1, 3]]
    settings = WindowSettings(3, 0, stride=3)
    window_file.write(tmp_path / "w.h5", maps, np.zeros((4, 2)), images, settings, "")
    table = localisation.by_image(localisation.read(tmp_path / "w.h5", tmp_path / "images.h5"))
    assert table.index.tolist() == [0, 1]
    assert table["hit"].tolist() == [1, 0]
    assert table["hit_others"].tolist() == [0, 0]
    # 0.1 is lower than all three; 0.8 is higher than 0.5 and 0.2, and ties with 0.8.
    np.testing.assert_allclose(table["roc_auc"], [1, 0.5 / 3])
    np.testing.assert_allclose(table["contrast"], [0.8, 0.5 - 0.8], rtol=1e-6)


def draw_masks(count, seed=0):
    """Squares of 5 pixels that never touch the border: bool (image, y, x)."""
    random = np.random.default_rng(seed)
    masks = np.zeros((count, SIDE, SIDE), bool)
    for mask in masks:
        top, left = random.integers(1, SIDE - 6, 2)
        mask[top : top + 5, left : left + 5] = True
    return masks


def verdicts_of(table):
    return dict(zip(table["measure"], table["verdict"], strict=True))


def test_the_lowest_confidence_and_the_order_of_all_are_compared_with_the_object():
    confidence = np.array([[[0.9, 0.2, 0.8], [0.6, 0.2, 0.7]]], dtype=np.float32)
    mask = np.array([[False, True, False], [True, False, False]])
    # The lowest is 0.2, first at the object. Of the 2 × 4 pairs, on it (0.2, 0.6) against beside
    # it (0.9, 0.8, 0.2, 0.7): 0.2 is lower than three and ties with one, 0.6 is lower than three.
    # Means 0.4 and 0.65.
    found = localisation.find_objects(confidence, np.stack([mask, ~mask]))
    np.testing.assert_array_equal(found["hit"], [[1, 0]])
    np.testing.assert_allclose(found["roc_auc"], [[6.5 / 8, 1.5 / 8]])
    np.testing.assert_allclose(found["contrast"], [[0.25, -0.25]], rtol=1e-6)


def test_each_map_is_compared_with_the_objects_of_all_other_images(tmp_path):
    masks = np.zeros((4, 2, 2), bool)
    for image, (y, x) in enumerate(((0, 0), (0, 1), (1, 1))):
        masks[image, y, x] = True  # that of image 3 is nowhere
    confidence = np.full((4, 2, 2), 0.9, np.float32)
    confidence[0, 0, 0] = confidence[1, 0, 0] = confidence[2, 1, 1] = 0.1
    table = localisation.by_image(write_maps(tmp_path, confidence, masks))
    assert table.index.tolist() == [0, 1, 2]
    assert table["hit"].tolist() == [1, 0, 1]
    assert table["hit_others"].tolist() == [0, 0.5, 0]
    np.testing.assert_allclose(table["contrast"], [0.8, -0.8 / 3, 0.8], rtol=1e-6)
    np.testing.assert_allclose(
        table["contrast_others"], [-0.8 / 3, (0.8 - 0.8 / 3) / 2, -0.8 / 3], rtol=1e-6
    )


def test_the_p_value_is_that_of_all_ways_to_deal_the_objects(tmp_path):
    random = np.random.default_rng(3)
    masks, confidence = draw_masks(5), random.random((5, SIDE, SIDE)).astype(np.float32)
    blocks = write_maps(tmp_path, confidence, masks)
    (block,) = blocks
    values = block.measures["contrast"]
    sums = [
        sum(values[row, column] for row, column in enumerate(dealt))
        for dealt in itertools.permutations(range(5))
    ]
    observed = abs(np.trace(values) - np.mean(sums))
    exact = np.mean([abs(total - np.mean(sums)) >= observed - 1e-9 for total in sums])
    table = localisation.summarise(3, blocks).set_index("measure")
    assert 0.1 < exact < 0.95, "or the test would show little"
    assert table.loc["contrast", "p_value"] == pytest.approx(
        exact, abs=0.02
    )  # 4 deviations of 9,999 draws


def test_maps_that_fall_where_the_object_is_find_it(tmp_path):
    masks = draw_masks(60)
    confidence = 0.9 - 0.5 * masks + np.random.default_rng(0).normal(0, 0.02, masks.shape)
    table = localisation.summarise(3, write_maps(tmp_path, confidence, masks))
    assert set(verdicts_of(table).values()) == {"holds"}
    assert (table["p_value"] == 1 / 10_000).all()


def test_contrasts_may_lie_two_apart(tmp_path):
    """Covering the object of the one image takes all confidence, that of the other one none."""
    left = np.zeros((SIDE, SIDE), bool)
    left[:, : SIDE // 2] = True
    masks = np.stack([left, ~left])
    confidence = np.where(masks, 0.0, 1.0)
    confidence[1] = np.where(masks[1], 0.1, 0.9)
    blocks = write_maps(tmp_path, confidence.astype(np.float32), masks)
    row = localisation.summarise(3, blocks).set_index("measure").loc["contrast"]
    assert row["difference"] == pytest.approx(1.8)  # (1 + 1 and 0.8 + 0.8) / 2
    assert row["high"] == 2


@pytest.mark.parametrize("window", COVERED)
def test_maps_that_know_only_their_place_find_nothing(tmp_path, window):
    """The lower, the more pixels are covered: fewer near the border, whatever the image is."""
    rows, columns = windows.windows(SIDE, SIDE, window)
    covered = np.outer(rows.sum(axis=1), columns.sum(axis=1))
    noise = np.random.default_rng(0).normal(0, 1e-3, (60, SIDE, SIDE))
    confidence = 0.9 - 0.5 * covered / COVERED[window] + noise
    table = localisation.summarise(
        window, write_maps(tmp_path, confidence, draw_masks(60))
    ).set_index("measure")
    # Against a fixed chance this would be a finding, for objects lie away from the border.
    assert table.loc["roc_auc", "own"] > 0.55
    assert table.loc["contrast", "own"] > 0.02
    assert "holds" not in set(table["verdict"])
    assert (table["p_value"] > 0.05).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_untrained_networks_find_nothing(tmp_path, seed):
    torch.manual_seed(seed)
    settings = {"conv": [{"channels": 8, "kernel": 5}, {"channels": 16, "kernel": 3}], "fc": []}
    network = Network(settings, len(shapes.CLASSES), (shapes.SIDE,) * 2).eval()
    pixels, labels, masks = shapes.draw(40, seed=(seed, 1))
    maps, _ = windows.sweep(network, pixels, 7)
    confidence = maps[np.arange(40), :, :, labels]
    block = localisation.Block(np.arange(40), localisation.find_objects(confidence, masks))
    table = localisation.summarise(7, [block])
    assert verdicts.all_of(list(table["verdict"])) == "fails"


def test_there_are_no_numbers_where_no_place_is_known(tmp_path):
    confidence = np.full((3, 4, 4), 0.5, np.float32)
    for masks in (None, np.zeros((3, 4, 4), bool), np.ones((3, 4, 4), bool)):
        blocks = write_maps(tmp_path, confidence, masks)
        assert localisation.by_image(blocks).empty
        assert localisation.summarise(3, blocks).empty

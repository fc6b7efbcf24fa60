"""Ties, peaks, boxes and patches against values worked out by hand."""

import h5py
import numpy as np
import pandas as pd

from convprobe.filters import activations, top_patches
from convprobe.network import chain, filter_layers
from convprobe.network.receptive_field import Fields, Grid, ReceptiveField


def write_activations(folder, name, maps):
    path = folder / "activations.h5"
    activations.write(path, [{name: maps}], [name], "")
    return path


def read_patches(folder, name):
    with h5py.File(folder / "patches.h5") as file:
        return file[name][:]


def test_peak_is_the_first_maximum_in_row_order():
    assert top_patches.peak(np.array([[0, 7, 1], [7, 2, 7]])) == (0, 1)


def test_a_maximum_by_rounding_alone_is_no_later_peak():
    """Units that see the same plain background differ in the seventh digit."""
    above = np.nextafter(np.float32(7), np.float32(8))
    assert top_patches.peak(np.array([[0, 7], [above, 7]], dtype=np.float32)) == (0, 1)
    assert top_patches.peak(np.array([[0, 7], [7.001, 7]], dtype=np.float32)) == (1, 0)
    assert top_patches.peak(np.array([[-9, -7], [-7 + 1e-6, -8]], dtype=np.float32)) == (0, 1)
    assert top_patches.peak(np.zeros((2, 3), dtype=np.float32)) == (0, 0)


def test_top_images_break_ties_by_the_lowest_index_and_box_what_the_peak_sees(
    network, images_path, tmp_path
):
    maps = np.zeros((30, 2, 2), dtype=np.float32)
    maps[4, 1, 0] = maps[17, 1, 0] = 2  # equal responses
    maps[9, 0, 1] = 3
    path = write_activations(tmp_path, "conv2/1", maps)
    table = top_patches.top_images(path, images_path, ["conv2/1"], 4, network.settings)
    assert table["image"].tolist() == [9, 4, 17, 0]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["response"].tolist() == [3, 2, 2, 0]
    # conv2 sees 3 + 1 + 2·(2 - 1) + 2·(2 - 1) = 8 pixels, its units lie 4 apart.
    boxes = table[["top", "left", "bottom", "right"]].to_numpy().tolist()
    assert boxes[:2] == [[0, 4, 8, 12], [4, 0, 12, 8]]


def test_patches_are_the_boxed_pixels_the_highest_response_first(
    network, images, images_path, tmp_path
):
    columns = ["layer", "channel", "rank", "image", "class", "response", "peak_y", "peak_x"]
    rows = [("conv1", 2, 2, 3, "ant", 1.0, 1, 1), ("conv1", 2, 1, 8, "bee", 2.0, 0, 3)]
    table = tmp_path / "top-images.csv"
    pd.DataFrame(rows, columns=columns).to_csv(table, index=False)
    top_patches.cut_patches(tmp_path / "patches.h5", table, images_path, network.settings)
    patches = read_patches(tmp_path, "conv1/2")
    np.testing.assert_array_equal(patches[0], images.pixels[8, 0:4, 6:10])
    np.testing.assert_array_equal(patches[1], images.pixels[3, 2:6, 2:6])


def test_a_patch_is_grey_where_the_peak_sees_more_than_the_image(images, images_path, tmp_path):
    settings = {"conv": [{"channels": 3, "kernel": 3, "padding": 2}], "fc": []}
    maps = np.zeros((30, 7, 7), dtype=np.float32)
    maps[4, 0, 6] = 1
    path = write_activations(tmp_path, "conv1/1", maps)
    table = top_patches.top_images(path, images_path, ["conv1/1"], 2, settings)
    # Fields of 4 pixels, 2 apart, the first from -2 on: rows -2 to 1, columns 10 to 13, of 12.
    boxes = table[["top", "left", "bottom", "right", "clipped"]].to_numpy().tolist()
    assert boxes == [[0, 10, 2, 12, True], [0, 0, 2, 2, True]]
    table_path = tmp_path / "top-images.csv"
    table.to_csv(table_path, index=False)
    top_patches.cut_patches(tmp_path / "patches.h5", table_path, images_path, settings)
    patch = read_patches(tmp_path, "conv1/1")[0]
    expected = np.full((4, 4, 3), 128)
    expected[2:, :2] = images.pixels[4, :2, 10:]
    np.testing.assert_array_equal(patch, expected)


def test_a_patch_is_grey_where_padding_stands_in_place_of_pixels_that_pooling_dropped():
    # 15 pixels, convolved to 13, pooled to 6 and 3: its last unit sees rows 8 to 13, of which the
    # one behind is dropped, and the last layer pads it.
    conv = [
        {"channels": 1, "kernel": 3},
        {"channels": 1, "kernel": 1},
        {"channels": 1, "kernel": 2, "padding": 1, "pool": 1},
    ]
    graph = chain.graph({"conv": conv, "fc": []}, (15, 15), 1)
    fields = filter_layers.of_graph(graph)["conv3"].fields
    image = np.arange(15 * 15 * 3).reshape(15, 15, 3).astype(np.uint8)
    patch = top_patches.cut(image, fields, 3, 3)
    # Of 10 pixels, from 8 on.
    np.testing.assert_array_equal(patch[:6, :6], image[8:14, 8:14])
    patch[:6, :6] = 128
    assert patch.shape == (10, 10, 3)
    assert (patch == 128).all()


SOME = ReceptiveField(((0, 4), (2, 6)), None)  # at no regular places
LARGE = ReceptiveField(((0, 5), (1, 6)), Grid(9, 1, -4))
SMALL = ReceptiveField(((0, 1), (0, 3), (2, 5), (4, 7)), Grid(3, 2, -2))


def test_a_patch_whose_frame_is_the_image_is_grey_outside_of_the_box():
    image = np.full((6, 6, 3), 7, np.uint8)
    for fields, seen in ((Fields(SOME, SOME), (2, 6)), (Fields(LARGE, LARGE), (1, 6))):
        patch = top_patches.cut(image, fields, 1, 1)
        expected = np.full((6, 6, 3), 128)
        expected[slice(*seen), slice(*seen)] = 7
        np.testing.assert_array_equal(patch, expected)


def test_patches_need_not_be_square():
    image = np.arange(6 * 7 * 3, dtype=np.uint8).reshape(6, 7, 3)
    patch = top_patches.cut(image, Fields(SOME, SMALL), 0, 3)
    assert patch.shape == (6, 3, 3) == (*top_patches.frame_shape(Fields(SOME, SMALL), (6, 7)), 3)
    np.testing.assert_array_equal(patch[:4], image[:4, 4:7])
    assert (patch[4:] == 128).all()


def test_a_box_is_clipped_where_padding_is_seen_and_only_there():
    peaks = np.arange(4)
    box = top_patches.clipped_box(Fields(SOME, SMALL), np.array([0, 1, 0, 1]), peaks)
    assert box.clipped.tolist() == [True, False, False, False]
    assert np.stack(box[:4], axis=1).tolist()[:2] == [[0, 0, 4, 1], [2, 0, 6, 3]]
    assert top_patches.clipped_box(Fields(LARGE, SOME), 0, 1).clipped
    assert not top_patches.clipped_box(Fields(SOME, SOME), 0, 1).clipped

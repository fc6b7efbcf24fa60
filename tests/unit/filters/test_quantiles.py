"""Images at quantiles of the responses, against values worked out by hand."""

import numpy as np

from convprobe.filters import activations, quantiles


def nearest(responses, *wanted):
    return quantiles.nearest(np.array(responses, np.float32), wanted).tolist()


def test_the_ends_are_the_highest_and_the_lowest_response():
    assert nearest([3, 9, 1, 4], 1, 0) == [1, 2]


def test_the_image_nearest_to_a_quantile_between_two_responses_is_taken():
    # In order 0, 2, 10: the quantile 0.25 is 1, as near to 0 as to 2; 0.3 is 1.2; 0.9 is 8.4.
    assert nearest([10, 2, 0], 0.3, 0.9) == [1, 0]


def test_of_equally_near_images_the_lowest_is_taken():
    assert nearest([10, 2, 0], 0.25) == [1]
    assert nearest([0, 2, 10], 0.25) == [0]
    assert nearest([5, 1, 5, 1], 1, 0) == [0, 1]


def test_the_table_has_five_images_of_each_filter_and_their_classes(images, images_path, tmp_path):
    path = tmp_path / "activations.h5"
    maps = np.zeros((30, 1, 1), np.float32)
    maps[:, 0, 0] = (7 * np.arange(30)) % 30  # 0 to 29 in another order
    chosen = ["conv2/1", "conv1/0"]
    activations.write(path, [{"conv2/1": maps, "conv1/0": 0 * maps}], chosen, "")
    table = quantiles.images_at_quantiles(path, images_path, chosen)
    assert table["layer"].tolist() == ["conv2"] * 5 + ["conv1"] * 5
    assert table["channel"].tolist() == [1] * 5 + [0] * 5
    first = table.head(5)
    assert first["quantile"].tolist() == [1, 0.75, 0.5, 0.25, 0]
    # The quantiles are 29, 21.75, 14.5, 7.25 and 0. Of 14 and 15, equally near, 14 is image 2's.
    assert first["response"].tolist() == [29, 22, 14, 7, 0]
    assert first["image"].tolist() == [17, 16, 2, 1, 0]
    classes = [images.classes[label] for label in images.labels[first["image"]]]
    assert first["class"].tolist() == classes
    assert table.tail(5)["image"].tolist() == [0] * 5  # a silent filter

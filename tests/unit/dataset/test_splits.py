"""Which images are trained on, tested on and held out."""

import pytest

from convprobe.dataset import splits

AVAILABLE = {"train": 50, "test": 10}


@pytest.mark.parametrize(
    ("train", "test", "held_out", "expected"),
    [
        ("all", "all", 0, {"train": (0, 50), "test": (0, 10)}),
        (20, 5, 0, {"train": (0, 20), "test": (0, 5)}),
        ("all", 5, 8, {"train": (0, 42), "test": (0, 5), "validation": (42, 50)}),
        (20, "all", 8, {"train": (0, 12), "test": (0, 10), "validation": (12, 20)}),
    ],
)
def test_the_last_training_images_are_held_out(train, test, held_out, expected):
    settings = {"train_images": train, "test_images": test, "validation_images": held_out}
    assert splits.ranges(settings, AVAILABLE) == expected


@pytest.mark.parametrize(
    ("held_out", "validation"),
    [
        (1, [7]),
        (2, [5, 7]),  # the shares are 1.25, 0.5 and 0.25
        (4, [2, 3, 5, 7]),  # 2.5, 1 and 0.5: of equal remainders the first class has one more
        (5, [1, 2, 3, 5, 7]),  # 3.125, 1.25 and 0.625, but b and c keep their last
    ],
)
def test_each_class_gives_its_last_images(held_out, validation):
    settings = {"train_images": 8, "test_images": "all", "validation_images": held_out}
    found = splits.places(settings, AVAILABLE, "aaaabbcaccccccc")
    assert found["validation"] == validation
    assert sorted([*found["train"], *validation]) == list(range(8))
    assert found["test"] == range(10)


def test_a_split_is_named_with_all_classes_that_it_lacks():
    present = {"train": {"a", "b", "c"}, "test": {"b"}, "validation": set()}
    assert splits.lacking(["a", "b", "c"], present) == [
        "no test image of class a, c",
        "no validation image of class a, b, c",
    ]
    assert splits.lacking(["a"], {"train": ["b"]}) == ["no training image of class a"]

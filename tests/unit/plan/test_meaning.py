"""Keys that contradict each other, or what is on the disk."""

import pytest
import yaml
from shipped_configs import SCHEMA, edit, lines, with_preset, write_names

from convprobe.plan import config as configs

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_a_network_that_leaves_nothing_of_the_image():
    change = (
        "network: {conv: [{channels: 4, kernel: 5}, {channels: 4, kernel: 14}]}\n"
        "filters: {chosen: [conv1/0]}"
    )
    assert edit(change) == [
        "own: network.conv[1] is a 14×14 convolution and 2×2 pooling, but its input is 14×14: "
        "that leaves nothing. Expected fewer layers or smaller kernels"
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "occlusion: {images: [0, 59, 60, 999]}",
            [
                "occlusion.images[2] is 60, but the test images are 0 to 59",
                "occlusion.images[3] is 999, but the test images are 0 to 59",
            ],
        ),
        ("occlusion: {images: 61}", ["occlusion.images is 61, but 60 images are tested"]),
        ("ablation: {table_images: 61}", ["ablation.table_images is 61, but 60 images are tested"]),
        ("dataset: {test_images: 61}", ["dataset.test_images is 61, but pictures.zip has 60"]),
        (
            "dataset: {test_images: 20}",
            [
                "occlusion.images is 60, but 20 images are tested",
                "ablation.table_images is 60, but 20 images are tested",
            ],
        ),
        ("dataset: {train_images: 101}", ["dataset.train_images is 101, but pictures.zip has 100"]),
        (
            "dataset: {validation_images: 100}",
            [
                "dataset.validation_images is 100, held out of 100 training images: "
                "that leaves nothing to train on"
            ],
        ),
        ("dataset: {split: {test_share: 0.5, seed: 0}}", []),  # 160 images, of which 80 are tested
        (
            "dataset: {split: {test_share: 0.5, seed: 0}}\nocclusion: {images: 81}",
            ["occlusion.images is 81, but 80 images are tested"],
        ),
        (
            "dataset: {train_images: 100, validation_images: 99, test_images: 60}\n"
            "occlusion: {images: [59]}",
            [],
        ),
    ],
)
def test_one_s_own_images_are_counted_before_anything_runs(change, told):
    write_names("pictures.zip", train=100, test=60)
    own = (
        "dataset: {name: image-folder, path: pictures.zip}\n"
        "occlusion: {images: 60}\n"
        "ablation: {table_images: 60}"
    )
    config = with_preset()[0]
    for text in (own, change):
        config = configs.merged(config, yaml.safe_load(text))
    if told:
        assert lines(config) == [f"config: {line}" for line in told]
    else:
        configs.checked(config, SCHEMA)


def test_images_that_lie_otherwise_than_expected_are_reported_with_the_other_mistakes():
    write_names("pictures.zip", train=9)
    assert edit(
        "dataset: {name: image-folder, path: pictures.zip}\nocclusion: {windows: [3, 4]}"
    ) == [
        "own: dataset.path is pictures.zip: no image at test/CLASS/NAME, "
        "expected files that end in .jpg, .jpeg, .png, .bmp, .gif, .webp",
        "own: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side "
        "(3, 5, 7 …)",
    ]

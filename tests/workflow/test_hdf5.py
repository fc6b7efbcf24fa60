"""Every HDF5 file opens with xarray: its axes have names and coordinates."""

import numpy as np
import pandas as pd
import pytest
import xarray

PROBED = "normalised/epoch-01"
IMAGES = {"images": ("image", "y", "x", "channel"), "labels": ("image",)}
MAPS = {"maps": ("image", "y", "x"), "response": ("image",)}
KERNELS = {"kernels": ("filter", "y", "x", "channel")}
PATCHES = ("rank", "y", "x", "channel")
WINDOW = {
    "probability": ("image", "y", "x", "class"),
    "confidence": ("image", "y", "x"),
    "clean_probability": ("image", "class"),
    "label": ("image",),
}
FILES = {
    "dataset/training-images.h5": {"train": IMAGES},
    "dataset/test-images.h5": {"test": IMAGES},
    f"{PROBED}/occlusion/window-3.h5": {"": WINDOW},
    f"{PROBED}/occlusion/window-5.h5": {"": WINDOW},
    f"{PROBED}/filters/activations.h5": {
        "conv1": KERNELS,
        "conv1/1": MAPS,
        "conv2/5": MAPS,
    },
    f"{PROBED}/filters/patches.h5": {"conv1": {"1": PATCHES}, "conv2": {"5": PATCHES}},
    f"{PROBED}/ablation/variants.h5": {
        "": {"predicted": ("variant", "image"), "filters": ("variant",)}
    },
}


def test_every_hdf5_file_is_tested(finished):
    assert {name for name in finished.files() if name.endswith(".h5")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_all_axes_have_names_and_coordinates(finished, name):
    for group, expected in FILES[name].items():
        with xarray.open_dataset(
            finished.files()[name], group=group or None, engine="h5netcdf"
        ) as opened:
            assert {variable: opened[variable].dims for variable in opened.data_vars} == expected
            assert set(opened.coords) == set(opened.dims)


def opened(finished, name, group):
    return xarray.open_dataset(finished.files()[name], group=group, engine="h5netcdf")


def test_coordinates_name_the_image_the_rank_and_the_colour(finished):
    table = pd.read_csv(finished.files()[f"{PROBED}/filters/top-images.csv"])
    first = table.set_index(["layer", "rank"]).loc["conv2", 1]
    with opened(finished, f"{PROBED}/filters/activations.h5", "conv2/5") as answers:
        assert answers["image"].values.tolist() == list(range(40))
        assert answers["response"].idxmax() == first["image"]
    with opened(finished, f"{PROBED}/filters/patches.h5", "conv2") as patches:
        patch = patches["5"].sel(rank=1, channel="green").values
    with opened(finished, "dataset/test-images.h5", "test") as test:
        # In xarray both ends belong to a slice.
        rows = slice(first["top"], first["bottom"] - 1)
        columns = slice(first["left"], first["right"] - 1)
        seen = test["images"].sel(image=first["image"], channel="green", y=rows, x=columns).values
        np.testing.assert_array_equal(patch, seen)

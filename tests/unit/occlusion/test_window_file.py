"""Files of occlusion maps: what others read in them, and shards that are joined."""

import itertools
import re
import subprocess

import h5py
import numpy as np
import pytest
import xarray

from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.occlusion import window_file, windows
from convprobe.occlusion.window_settings import WindowSettings
from convprobe.store import hdf5


@pytest.fixture
def written(tmp_path, network, pixels):
    images = image_file.Images(pixels, np.array([2, 0]), ("ant", "bee", "cow"), np.array([4, 9]))
    maps, clean = windows.sweep(network, pixels, window=3)
    path = tmp_path / "window-3.h5"
    window_file.write(path, maps, clean, images, WindowSettings(3), checkpoint_sha256="0" * 64)
    return path


def test_xarray_opens_a_window_file_with_names_and_coordinates(written):
    with xarray.open_dataset(written, engine="h5netcdf") as opened:
        assert dict(opened.sizes) == {"image": 2, "y": 11, "x": 11, "class": 3}
        assert opened["image"].values.tolist() == [4, 9]
        assert opened["class"].values.tolist() == ["ant", "bee", "cow"]
        settings = {"window": 3, "fill": 128, "precision": "fp32", "checkpoint_sha256": "0" * 64}
        assert settings.items() <= opened.attrs.items()
        chosen = opened["probability"].sel(image=9, **{"class": "ant"})
        np.testing.assert_array_equal(opened["confidence"].sel(image=9), chosen)


def test_the_coordinates_of_a_window_file_are_the_centres(tmp_path, network, pixels):
    images = image_file.Images(pixels, np.array([2, 0]), ("ant", "bee", "cow"), np.array([4, 9]))
    maps, clean = windows.sweep(network, pixels, window=3, stride=4)
    window_file.write(tmp_path / "w.h5", maps, clean, images, WindowSettings(3, stride=4), "0" * 64)
    with xarray.open_dataset(tmp_path / "w.h5", engine="h5netcdf") as opened:
        assert dict(opened.sizes) == {"image": 2, "y": 3, "x": 3, "class": 3}
        assert opened["y"].values.tolist() == opened["x"].values.tolist() == [2, 6, 10]
        assert opened["y"].attrs["units"] == "pixel"
        whole, _ = windows.sweep(network, pixels, window=3)
        at = opened["probability"].sel(image=9, y=6, x=10)
        np.testing.assert_allclose(at, whole[1, 6, 10], atol=1e-6)


def write_parts(folder, network, pixels, cuts, **changed):
    """Window files of parts of the images, as shards are."""
    paths = []
    for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
        part = pixels[start:stop]
        images = image_file.Images(
            part, np.arange(len(part)) % 3, ("ant", "bee", "cow"), np.arange(start, stop)
        )
        paths.append(folder / "window-3" / f"{number}.h5")
        settings = WindowSettings(3, **changed) if number else WindowSettings(3)
        window_file.write(paths[-1], *windows.sweep(network, part, 3), images, settings, "0" * 64)
    return paths


def test_joined_shards_read_as_one_file_from_anywhere(network, tmp_path, monkeypatch):
    pixels = np.random.default_rng(2).integers(0, 256, (5, 11, 11, 3), dtype=np.uint8)
    (tmp_path / "made").mkdir()
    window_file.join(
        tmp_path / "made/window-3.h5", write_parts(tmp_path / "made", network, pixels, [0, 2, 4, 5])
    )
    (tmp_path / "made").rename(tmp_path / "moved")
    joined = tmp_path / "moved/window-3.h5"
    assert joined.stat().st_size < 30_000 < 5 * 121 * 3 * 4 * 10  # nothing was copied
    for folder in (tmp_path, tmp_path / "moved/window-3"):
        monkeypatch.chdir(folder)
        with hdf5.open_complete(joined) as file:
            np.testing.assert_array_equal(
                file["probability"][:], windows.sweep(network, pixels, 3)[0]
            )
            assert file["label"][:].tolist() == [0, 1, 0, 1, 0]
    with xarray.open_dataset(joined, engine="h5netcdf") as opened:
        assert dict(opened.sizes) == {"image": 5, "y": 11, "x": 11, "class": 3}
        assert opened["image"].values.tolist() == [0, 1, 2, 3, 4]
        assert opened["y"].attrs["units"] == "pixel"
    (tmp_path / "moved/window-3/1.h5").unlink()
    part = f"{joined}: lacks its part {joined.parent}/window-3/1.h5"
    with pytest.raises(InputError, match=re.escape(part)), hdf5.open_complete(joined):
        pass
    with h5py.File(joined) as file:  # as others read it
        assert np.isnan(file["confidence"][2:4]).all()
        assert np.isfinite(file["confidence"][4]).all()


def test_a_joined_file_is_a_function_of_its_shards(network, tmp_path):
    """Equal shards give equal bytes, whatever the time; another shard gives others.

    That is so though the file holds none of their maps.
    """
    pixels = np.random.default_rng(2).integers(0, 256, (4, 11, 11, 3), dtype=np.uint8)
    joined = {}
    for name, shown in {"one": pixels, "same": pixels, "other": pixels + np.uint8(1)}.items():
        paths = write_parts(
            tmp_path / name, network, np.concatenate([pixels[:2], shown[2:]]), [0, 2, 4]
        )
        window_file.join(tmp_path / name / "window-3.h5", paths)
        joined[name] = (tmp_path / name / "window-3.h5").read_bytes()
    assert joined["one"] == joined["same"]
    assert joined["one"] != joined["other"]
    with hdf5.open_complete(tmp_path / "one/window-3.h5") as file:
        dates = {name: h5py.h5o.get_info(stored.id).ctime for name, stored in file.items()}
        assert dates == dict.fromkeys(file, 0)
        command = ["bash", "-c", "sha256sum *.h5 | sha256sum"]
        digest = subprocess.run(
            command, cwd=tmp_path / "one/window-3", check=True, capture_output=True, text=True
        )
        assert file.attrs["shards_sha256"] == digest.stdout.split()[0]


def test_shards_made_with_other_settings_are_not_joined(network, pixels, tmp_path):
    paths = write_parts(tmp_path, network, pixels, [0, 1, 2], fill=0)
    with pytest.raises(
        InputError, match=r"window-3/1.h5: fill is 0, expected 128 as in .*window-3/0.h5"
    ):
        window_file.join(tmp_path / "window-3.h5", paths)
    assert not (tmp_path / "window-3.h5").exists()


def test_shards_of_other_positions_are_not_joined(network, pixels, tmp_path):
    paths = []
    for number, stride in enumerate((4, 3)):
        images = image_file.Images(
            pixels[:1], np.array([0]), ("ant", "bee", "cow"), np.array([number])
        )
        maps, clean = windows.sweep(network, pixels[:1], 3, stride=stride)
        paths.append(tmp_path / f"window-3/{number}.h5")
        settings = WindowSettings(3, stride=stride)
        window_file.write(paths[-1], maps, clean, images, settings, "0" * 64)
    with pytest.raises(
        InputError, match=r"window-3/1.h5: stride is 3, expected 4 as in .*window-3/0.h5"
    ):
        window_file.join(tmp_path / "window-3.h5", paths)
    window_file.join(tmp_path / "window-3.h5", paths[:1])
    with hdf5.open_complete(tmp_path / "window-3.h5") as file:
        assert file["y"][:].tolist() == file["x"][:].tolist() == [2, 6, 10]
        assert "stride" not in file.attrs

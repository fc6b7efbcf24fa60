"""Windows that one process computes: each job's file is what it would have made alone."""

from functools import partial

import numpy as np
import pytest
import torch

from convprobe.dataset import image_file
from convprobe.job import shared_process
from convprobe.network.layers import Network
from convprobe.occlusion import window_file, windows, windows_per_process
from convprobe.occlusion.window_settings import WindowSettings
from convprobe.store import files, hdf5

SIDE, DIGEST = 20, "0" * 64
FILL = 90
WIDE = {"conv": [{"channels": 64, "kernel": 3}, {"channels": 128, "kernel": 3}], "fc": []}
PADDED = {"conv": [{"channels": 4, "kernel": 3, "padding": 1}], "fc": []}  # takes passes


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    pixels = random.integers(256, size=(3, SIDE, SIDE, 3), dtype=np.uint8)
    return image_file.Images(pixels, np.array([0, 2, 1]), ("a", "b", "c"), np.arange(3))


def network(settings=WIDE):
    torch.manual_seed(0)
    return Network(settings, classes=3, image_size=(SIDE, SIDE)).eval()


def occlusion(images, window, settings=WIDE):
    return windows_per_process.OcclusionInputs(
        network(settings), images, WindowSettings(window, FILL), DIGEST
    )


@pytest.fixture
def source(tmp_path):
    """A file that everything is made from."""
    path = tmp_path / "images.h5"
    path.write_text("the images")
    return path


def run_job(folder, source, images, window, asked, settings=WIDE, params=("code 1",)):
    """The job of one window; whether it took what another one had made."""
    shelf = partial(shared_process.shelf, folder, params, [source])
    path = folder / f"window-{window}.h5"
    with shelf() as opened:
        if opened.take({"maps": path}, of=window):
            return True
    windows_per_process.write(path, shelf, occlusion(images, window, settings), asked)
    return False


def alone(folder, images, window, settings=WIDE):
    """A window's file, made without any other."""
    found = windows.sweep(network(settings), images.pixels, window, FILL)
    path = folder / f"alone-{window}.h5"
    window_file.write(path, *found, images, WindowSettings(window, FILL), DIGEST)
    return path


def test_each_window_has_the_file_that_it_has_alone(tmp_path, images, source):
    folder = tmp_path / "occlusion"
    assert [run_job(folder, source, images, window, [3, 5, 9]) for window in (5, 3, 9)] == [
        False, True, True,
    ]  # fmt: skip
    for window in (3, 5, 9):
        path = folder / f"window-{window}.h5"
        files.check_digest(path)
        with (
            hdf5.open_complete(path) as found,
            hdf5.open_complete(alone(tmp_path, images, window)) as expected,
        ):
            assert dict(found.attrs) == dict(expected.attrs)
            for name in window_file.AXES:
                np.testing.assert_allclose(found[name][:], expected[name][:], atol=1e-6)
    assert not [path for path in (folder / ".ahead").rglob("*") if path.is_file()]


def test_a_window_that_is_added_or_lost_is_computed_by_itself(tmp_path, images, source):
    folder = tmp_path / "occlusion"
    for window in (3, 5):
        run_job(folder, source, images, window, [3, 5])
    (folder / "window-5.h5").unlink()
    for window, asked in ((7, [3, 5, 7]), (5, [3, 5, 7])):
        assert not run_job(folder, source, images, window, asked)
        assert not list((folder / ".ahead").rglob("maps"))


def test_nothing_is_taken_that_was_made_otherwise(tmp_path, images, source):
    folder = tmp_path / "occlusion"
    run_job(folder, source, images, 3, [3, 5])
    assert not run_job(folder, source, images, 5, [3, 5], params=("code 2",))
    assert not run_job(folder, source, images, 5, [3, 5], params=("code 1",))
    source.write_text("other images")
    assert not run_job(folder, source, images, 3, [3, 5])


def test_networks_that_take_passes_have_a_process_for_each_window(tmp_path, images, source):
    folder = tmp_path / "occlusion"
    for window in (3, 5):
        assert not run_job(folder, source, images, window, [3, 5], PADDED)
    assert not (folder / ".ahead").exists()


def test_what_another_job_makes_meanwhile_is_taken(tmp_path, images, source, capsys):
    folder = tmp_path / "occlusion"
    run_job(folder, source, images, 3, [3, 5])
    shelf = partial(shared_process.shelf, folder, ("code 1",), [source])
    windows_per_process.write(folder / "window-5.h5", shelf, occlusion(images, 5), [3, 5])
    assert shared_process.TAKEN in capsys.readouterr().out

"""HDF5 files are complete, or refused in one line."""

import h5py
import numpy as np
import pytest

from convprobe.store import files, hdf5


def write_hdf5(path):
    with hdf5.create(path) as file:
        hdf5.dimension(file, "image", np.arange(50))
        file.create_dataset(
            "maps", data=np.random.default_rng(0).random((50, 40)), compression="gzip"
        )
        hdf5.dimension(file, "x", np.arange(40))
        hdf5.dataset(file, "means", np.arange(40.0), ("x",))


def read_maps(path):
    with hdf5.open_complete(path) as file:
        return file["maps"][:]


def test_what_is_written_is_read_again(tmp_path):
    write_hdf5(tmp_path / "a.h5")
    with hdf5.open_complete(tmp_path / "a.h5") as file:
        assert file["means"].dims[0].keys() == ["x"]
        assert file.attrs["format_version"] == 3


def test_equal_values_give_equal_bytes_under_any_name(tmp_path):
    for name in ("one", "another-name"):
        write_hdf5(tmp_path / f"{name}.h5")
    assert files.sha256(tmp_path / "one.h5") == files.sha256(tmp_path / "another-name.h5")


def test_a_file_that_is_not_there_is_named(tmp_path, refusal):
    assert refusal(tmp_path / "a.h5", read_maps).startswith(
        "damaged HDF5 file (No such file or directory)"
    )


@pytest.mark.parametrize("version", [2, 1, None])
def test_a_file_of_an_older_version_is_refused(tmp_path, refusal, version):
    write_hdf5(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file.attrs["format_version"]
        if version:
            file.attrs["format_version"] = version
    found = f"has format version {version}" if version else "has no format version"
    assert refusal(tmp_path / "a.h5", read_maps) == f"{found}, expected 3: delete it and run again"


def test_an_error_while_an_hdf5_file_is_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.h5"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="ours"), hdf5.create(path) as file:  # noqa: PT012
        file["maps"] = np.zeros(9)
        raise RuntimeError("ours")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_hdf5_file_holds_no_dates(tmp_path):
    write_hdf5(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert {h5py.h5g.get_objinfo(file[name].id).mtime for name in ("image", "maps")} == {0}


def test_an_hdf5_file_that_was_never_finished_is_refused(tmp_path, refusal):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["maps"] = np.zeros(3)
    told = "incomplete, its writer was stopped: delete it and run again"
    assert refusal(tmp_path / "a.h5", read_maps) == told


def test_an_hdf5_file_that_is_truncated_anywhere_is_refused(tmp_path, refusal):
    path = tmp_path / "a.h5"
    write_hdf5(path)
    content = path.read_bytes()
    for length in [*range(0, len(content), 256), len(content) - 1]:
        path.write_bytes(content[:length])
        assert refusal(path, read_maps).startswith("damaged HDF5 file ("), length


def test_an_hdf5_file_with_a_damaged_chunk_is_refused(tmp_path, refusal):
    path = tmp_path / "a.h5"
    write_hdf5(path)
    with h5py.File(path) as file:
        place, size = (
            file["maps"].id.get_chunk_info(0).byte_offset,
            file["maps"].id.get_chunk_info(0).size,
        )
    content = bytearray(path.read_bytes())
    content[place : place + size] = b"\xee" * size
    path.write_bytes(content)
    assert refusal(path, read_maps).startswith("damaged HDF5 file (")

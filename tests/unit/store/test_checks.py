"""Files are compared to their declarations; mistakes are noted once, by name."""

import h5py
import pytest

from convprobe.store import checks, files, hdf5
from convprobe.store.outputs import Dataset, Hdf5, Json, Table

TABLE = Table("table.csv", "a table", columns={"a": "", "b": ""}, optional={"c": ""})
JSON = Json("values.json", "values", keys={"a": ""}, optional={"b": ""})
MAPS = Hdf5(
    "maps.h5",
    "maps",
    datasets={
        "{layer}/maps": Dataset("float32", "image, y", "maps"),
        "names": Dataset("text", "image", "names", optional=True),
    },
)


@pytest.fixture
def results(tmp_path):
    return checks.Results(tmp_path)


def write_text(results, name, text):
    with files.replacing(results.folder / name) as partial:
        partial.write_text(text, encoding="utf-8")


def write_maps(results, datasets, dimensions=("image", "y")):
    with hdf5.create(results.folder / "maps.h5") as file:
        hdf5.dimension(file, "image", [0, 1])
        hdf5.dimension(file, "y", [0, 1, 2])
        for name, dtype in datasets.items():
            file.create_dataset(name, (2, 3), dtype)
            hdf5.attach(file, file[name], dimensions)


def mistakes(results, output):
    results.check(checks.form, output.path, output)
    return [line.removeprefix(f"{results.folder}/") for line in results.mistakes]


@pytest.mark.parametrize("header", ["a,b", "a,b,c"])
def test_a_table_has_the_declared_columns_and_may_have_the_optional_ones(results, header):
    write_text(results, "table.csv", f"{header}\n1,2,3\n")
    assert mistakes(results, TABLE) == []


@pytest.mark.parametrize("header", ["a", "b,a", "a,b,d"])
def test_a_table_with_other_columns_is_named(results, header):
    write_text(results, "table.csv", f"{header}\n")
    columns = header.replace(",", ", ")
    assert mistakes(results, TABLE) == [f"table.csv: has the columns {columns}, expected a, b"]


def test_a_table_whose_header_depends_on_the_data_may_have_any(results):
    write_text(results, "table.csv", "cat,dog\n")
    assert mistakes(results, Table("table.csv", "counts")) == []


def test_a_key_too_few_or_too_many_is_named(results):
    write_text(results, "values.json", '{"b": 1, "d": 2}')
    assert mistakes(results, JSON) == [
        "values.json: has no key a",
        "values.json: has an unknown key d",
    ]


def test_datasets_of_the_declared_type_and_axes_are_right(results):
    write_maps(results, {"conv1/maps": "float32", "conv2/maps": "float32"})
    assert mistakes(results, MAPS) == []


def test_a_dataset_of_another_type_or_with_other_axes_is_named(results):
    write_maps(results, {"conv1/maps": "float64"}, dimensions=("image",))
    expected = "maps.h5: conv1/maps is float64 (image, ), expected float32 (image, y)"
    assert mistakes(results, MAPS) == [expected]


def test_a_dataset_too_few_or_too_many_is_named(results):
    write_maps(results, {"conv1/other": "float32"})
    assert mistakes(results, MAPS) == [
        "maps.h5: has no {layer}/maps",
        "maps.h5: has an unknown dataset conv1/other",
    ]


def test_text_is_known_as_such(results):
    with hdf5.create(results.folder / "maps.h5") as file:
        hdf5.dimension(file, "image", ["a"])
        hdf5.dataset(file, "names", ["b"], ("image",))
    assert mistakes(results, MAPS) == ["maps.h5: has no {layer}/maps"]


def test_an_altered_file_is_named_once_and_not_opened(results):
    write_text(results, "table.csv", "a,b\n")
    (results.folder / "table.csv").write_text("other")
    results.check(checks.form, "table.csv", TABLE)
    results.check(checks.form, "table.csv", TABLE)
    (mistake,) = results.mistakes
    assert mistake.startswith(f"{results.folder / 'table.csv'}: altered since it was written")


def test_settings_are_compared_key_by_key(results):
    found = {"rate": 0.1, "optimizer": {"name": "sgd"}, "old": 1}
    expected = {"rate": 0.1, "optimizer": {"name": "adam"}, "new": 2}
    results.check(checks.Results.made_with, "file.pth", found, expected)
    place = results.folder / "file.pth"
    assert results.mistakes == [
        f"{place}: was made with name sgd, but the config says adam",
        f"{place}: was made with new None, but the config says 2",
        f"{place}: was made with old 1, but the config says None",
    ]


@pytest.mark.parametrize(("value", "finite"), [(0.5, True), (float("nan"), False)])
def test_numbers_that_are_not_finite_are_seen(tmp_path, value, finite):
    with h5py.File(tmp_path / "numbers.h5", "w") as file:
        file["group/numbers"] = [0.0] * 300 + [value]
        file["names"] = ["a"]
        assert checks.is_finite(file) == finite

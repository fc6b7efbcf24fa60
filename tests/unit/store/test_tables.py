"""Tables keep the names of classes, whatever they are."""

import numpy as np
import pandas as pd
import pytest

from convprobe.errors import InputError
from convprobe.store import tables

# Names of columns, of the corner of a table, of variants; what is quoted in a table.
AWKWARD = (
    "clean", "ablated", "class", "class.1", "predicted", "image", "none", "all", "nan", "p_value",
    "response", "", " ", 'a, "b"', "$x$",
)  # fmt: skip


def test_classes_may_be_named_as_anything_in_a_table_of_counts(tmp_path):
    numbers = np.arange(len(AWKWARD) ** 2).reshape(len(AWKWARD), -1)
    counts = pd.DataFrame(numbers, AWKWARD, AWKWARD).rename_axis("class")
    tables.write(tmp_path / "counts.csv", counts, index=True)
    read = tables.read_counts(tmp_path / "counts.csv")
    assert list(read.index) == list(read.columns) == list(AWKWARD)
    assert read.to_numpy().tolist() == numbers.tolist()


def test_classes_may_be_named_as_what_pandas_reads_as_missing_or_true(tmp_path):
    names = ["NA", "true", "-inf"]
    tables.write(tmp_path / "a.csv", pd.DataFrame({"class": names}))
    assert tables.read(tmp_path / "a.csv")["class"].tolist() == names


def test_layers_may_have_numbers_for_names(tmp_path):
    names = ["0", "1.10", "1.1"]  # as of a torch.nn.Sequential, and of one within it
    tables.write(tmp_path / "a.csv", pd.DataFrame({"layer": names, "channel": [0, 1, 2]}))
    read = tables.read(tmp_path / "a.csv")
    assert read["layer"].tolist() == names
    assert read["channel"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("content", ["", "class,a\na,1,2\n", "class,a\na,b\n", "class,a\na,\n"])
def test_a_file_that_is_no_table_of_counts_is_refused(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError, match=r"a\.csv: damaged \("):
        tables.read_counts(tmp_path / "a.csv")

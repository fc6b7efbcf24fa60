"""Tables as tidy CSV."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from convprobe.errors import InputError
from convprobe.store import files

# Columns of class names: texts, even if a class is called 007, NA or true.
CLASS_NAMES = ("class", "clean", "ablated", "predicted", "flipped_to")
OTHER_NAMES = ("layer", "run")  # texts likewise: PyTorch calls the layers of a sequence 0, 1, …
# Columns with seven significant digits. To six decimals a small response would be 0, and its filter
# would seem silent; a small p-value would be 0 too.
SIGNIFICANT = ("response", "p_value")


def text(table: pd.DataFrame, index: bool = False) -> str:
    """A table as CSV, with six decimals, or seven digits: readable, and no digit is noise."""
    rounded = table.copy()
    for column in SIGNIFICANT:
        if column in table:
            rounded[column] = table[column].map("{:.7g}".format)
    return rounded.to_csv(index=index, float_format="%.6f", lineterminator="\n")


def write(path: Path | str, table: pd.DataFrame, index: bool = False) -> None:
    """Write a table."""
    with files.replacing(path) as partial:
        partial.write_text(text(table, index), encoding="utf-8")


def read(path: Path | str, class_names: Sequence[str] = CLASS_NAMES) -> pd.DataFrame:
    """A table as `write` wrote it; only an empty cell is a missing value.

    Args:
        class_names: columns of class names.

    Raises:
        InputError: the file is not a table.
    """
    texts = dict.fromkeys((*class_names, *OTHER_NAMES), str)
    with _refusing_damage(path):
        return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=texts)


def read_counts(path: Path | str) -> pd.DataFrame:
    """A table of counts whose rows and columns are classes, as `write` wrote it with its index.

    All of its header is read as text: a class may be called `clean`, or `class` as the corner is.

    Raises:
        InputError: the file is not a table of counts.
    """
    with _refusing_damage(path):
        cells = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
        counts = cells.iloc[1:, 1:].to_numpy(int)
        return pd.DataFrame(counts, index=cells.iloc[1:, 0], columns=cells.iloc[0, 1:])


@contextlib.contextmanager
def _refusing_damage(path: Path | str) -> Iterator[None]:
    try:
        yield
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: damaged ({error}): delete it and run again") from error

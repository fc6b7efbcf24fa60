"""Tables as tidy CSV."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from convprobe.errors import InputError
from convprobe.store import files

# Columns of class names: texts, though a class be called 007, NA or true.
CLASS_NAMES = ("class", "clean", "ablated", "predicted", "flipped_to")
# Columns with seven digits: to six decimals a small response would be 0, and its filter said to be silent; a small
# p-value would be 0 too.
SIGNIFICANT = ("response", "p_value")


def text(table: pd.DataFrame, index: bool = False) -> str:
    """A pandas table as CSV: six decimals, or seven digits, so that a row is readable and no digit is noise."""
    table = table.assign(
        **{name: table[name].map("{:.7g}".format) for name in SIGNIFICANT if name in table}
    )
    return table.to_csv(index=index, float_format="%.6f", lineterminator="\n")


def write(path, table, index=False):
    """Write a pandas table."""
    with files.replacing(path) as partial:
        partial.write_text(text(table, index), encoding="utf-8")


def read(path: str | Path, class_names: tuple[str, ...] = CLASS_NAMES) -> pd.DataFrame:
    """A pandas table as `write` wrote it; only an empty cell is a missing value.

    Args:
        class_names: columns of class names.

    Raises:
        InputError: the file is not a table.
    """
    with _refusing_damage(path):
        texts = dict.fromkeys(class_names, str)
        return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=texts)


def read_counts(path: str | Path) -> pd.DataFrame:
    """A table of counts whose rows and columns are classes, as `write` wrote it with its index.

    Its header is no list of columns that are known: a class may be called `clean`, or `class` as the corner is.

    Raises:
        InputError: the file is not a table of counts.
    """
    with _refusing_damage(path):
        cells = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
        return pd.DataFrame(
            cells.iloc[1:, 1:].to_numpy(int), index=cells.iloc[1:, 0], columns=cells.iloc[0, 1:]
        )


@contextlib.contextmanager
def _refusing_damage(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: damaged ({error}): delete it and run again") from error

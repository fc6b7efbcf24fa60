"""Tables as tidy CSV."""

import pandas as pd

from convprobe import files
from convprobe.errors import InputError


def text(table, index=False):
    """A pandas table as CSV: six decimals, so that a row is readable and no digit is noise."""
    return table.to_csv(index=index, float_format="%.6f", lineterminator="\n")


def write(path, table, index=False):
    """Write a pandas table."""
    with files.replacing(path) as partial:
        partial.write_text(text(table, index), encoding="utf-8")


def read(path, **options):
    """A pandas table as `write` wrote it; only an empty cell is a missing value.

    Raises:
        InputError: the file is not a table.
    """
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""], **options)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: damaged ({error}): delete it and run again") from error

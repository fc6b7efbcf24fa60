"""What all checks share: is a file whole, and is a table what its sources give?

Each file is first compared to the digest that was recorded when it was written. A file whose digest
is wrong is not opened: it may hold anything.
"""

import contextlib
import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from convprobe.errors import InputError
from convprobe.store import files, hdf5, tables
from convprobe.store.outputs import Hdf5, Json, Output, Table, pattern

TOLERANCE = 1e-5  # of probabilities: sums of float32, and numbers rounded to six decimals
ROWS = 256  # images at a time; bounds the memory

# For each thing checked: whether it agrees, the file's name, and what is wrong if it doesn't.
Check = Iterator[tuple[bool, str, str]]


@dataclass(frozen=True)
class Probed:
    """A probed checkpoint.

    Attributes:
        run: its name.
        folder: of the results of its probes, relative to the experiment's.
        weights: path of the checkpoint, relative to the experiment's folder.
    """

    run: str
    folder: str
    weights: str

    def name(self, output: Output, **wildcards: str | int) -> str:
        """Path of a file of a probe, relative to the experiment's folder."""
        return f"{self.folder}/{output.path.format(**wildcards)}"


class Results:
    """The files of an experiment, and the mistakes found in them so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mistakes: list[str] = []
        self._digests: dict[str, str | None] = {}  # None for a file that is missing or altered
        self._unstamped: list[str] = []  # figures that don't say what they were drawn from
        self._last = folder  # the path that was last asked for

    def path(self, name: str) -> Path:
        """Path of a file whose digest is right.

        Raises:
            InputError: it is missing or altered; only the first time it is asked for.
            Unusable: the same, any later time.
        """
        self._last = self.folder / name
        if name not in self._digests:
            self._digests[name] = None
            self._digests[name] = files.check_digest(self._last)
        if self._digests[name] is None:
            raise Unusable
        return self._last

    def digest(self, name: str) -> str:
        """SHA-256 of a file whose digest is right; raises the same errors as `path`."""
        self.path(name)
        return self._digests[name]

    def made_with(self, name: str, found: Mapping, expected: Mapping) -> Check:
        """Compare the settings that a file says it was made with to those of the config."""
        unexpected = found.keys() - expected.keys()
        for key in [*expected, *unexpected]:
            here = found.get(key)
            there = expected.get(key)
            if isinstance(here, dict) and isinstance(there, dict):
                yield from self.made_with(name, here, there)
            else:
                wrong = f"was made with {key} {here}, but the config says {there}"
                yield here == there, name, wrong

    def made_from(self, name: str, file: h5py.File, probed: Probed) -> Check:
        """Compare the checkpoint that an HDF5 file says it was made from to the present one."""
        digest = self.digest(probed.weights)
        same = file.attrs["checkpoint_sha256"] == digest
        yield same, name, f"was made from other weights than {probed.folder}"

    def drawn_from(self, name: str, source: str | None) -> Check:
        """Compare the files that a figure says it was drawn from to the present ones."""
        if source is None:
            self._unstamped.append(name)
            return
        figure = Path(name).with_suffix("").as_posix()
        own, *drawn = source.splitlines()
        yield f"/{figure}".endswith(f"/{own}"), name, f"is the figure {own}"
        folder = figure.removesuffix(own)
        for line in drawn:
            digest, _, path = line.partition("  ")
            other = folder + path
            if not (self.folder / other).is_file():
                yield False, name, f"was drawn from a missing {other}"
            else:
                yield self.digest(other) == digest, name, f"was drawn from another {other}"

    def older(self) -> list[str]:
        """One line for all figures that don't say what they were drawn from."""
        if not self._unstamped:
            return []
        count = len(self._unstamped)
        first = self._unstamped[0]
        return [
            f"{self.folder}: {count} figures, {first} the first, don't say what they were drawn "
            "from, as an older version wrote them: the command that made them makes them anew"
        ]

    def same_table(self, name: str, expected: pd.DataFrame, index: bool = False) -> Check:
        """Compare a table, letter by letter, to what is computed again."""
        found = self.path(name).read_text(encoding="utf-8")
        yield found == tables.text(expected, index), name, "differs from what its sources give"

    def check(self, function: Callable[..., Check], *arguments: Any) -> None:
        """Run a check as far as its files can be used, and note the mistakes."""
        with self.noting_mistakes():
            for agrees, name, wrong in function(self, *arguments):
                if not agrees:
                    self.mistakes.append(f"{self.folder / name}: {wrong}")

    @contextlib.contextmanager
    def noting_mistakes(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            self.mistakes.append(str(error))
        except Unusable:
            pass
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # a whole file with other content
            detail = " ".join(str(error).split())
            self.mistakes.append(f"{self._last}: not of the stated form ({detail})")


class Unusable(Exception):
    """A file that a check needs is missing or altered, which was noted before."""


def form(results: Results, name: str, output: Output) -> Check:
    """Compare the columns, keys or datasets of a file to those declared."""
    path = results.path(name)
    match output:
        case Table(columns=columns) if columns:
            yield from _header(path, name, output)
        case Json():
            found = list(files.read_json(path))
            yield from _named(name, "key", found, list(output.keys), list(output.optional))
        case Hdf5():
            with hdf5.open_complete(path) as file:
                yield from _datasets(file, name, output)


def _header(path: Path, name: str, table: Table) -> Check:
    with open(path, encoding="utf-8", newline="") as file:
        found = next(csv.reader(file), [])
    columns = list(table.columns)
    allowed = (columns, [*columns, *table.optional])
    wrong = f"has the columns {', '.join(found)}, expected {', '.join(columns)}"
    yield found in allowed, name, wrong


def _named(
    name: str, kind: str, found: list[str], expected: list[str], optional: list[str]
) -> Check:
    for key in expected:
        yield key in found, name, f"has no {kind} {key}"
    for key in found:
        yield key in expected or key in optional, name, f"has an unknown {kind} {key}"


def _datasets(file: h5py.File, name: str, declared: Hdf5) -> Check:
    """Compare the type and the axes of each dataset to those declared; none may be missing."""
    found = dataset_names(file)
    unknown = set(found)
    for template, expected in declared.datasets.items():
        named = pattern(template)
        alike = [dataset for dataset in found if named.fullmatch(dataset)]
        yield expected.optional or bool(alike), name, f"has no {template}"
        unknown -= set(alike)
        form = f"{expected.type} ({expected.axes})"
        for dataset in alike:
            here = _form(file[dataset])
            yield here == form, name, f"{dataset} is {here}, expected {form}"
    for dataset in sorted(unknown):
        yield False, name, f"has an unknown dataset {dataset}"


def _form(dataset: h5py.Dataset) -> str:
    """The type and the axes of a dataset, as they are declared."""
    axes = []
    for axis in dataset.dims:
        scale = axis[0].name if len(axis) else ""
        axes.append(scale.rpartition("/")[2])
    text = h5py.check_string_dtype(dataset.dtype) is not None
    kind = "text" if text else dataset.dtype.name
    return f"{kind} ({', '.join(axes)})"


def dataset_names(file: h5py.File) -> list[str]:
    """Names of all datasets but the coordinates of their axes."""
    names = []

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset) and not item.is_scale:
            names.append(name)

    file.visititems(visit)
    return names


def is_finite(file: h5py.File) -> bool:
    """Whether all numbers of all datasets are finite."""
    return all(_rows_are_finite(file[name]) for name in dataset_names(file))


def _rows_are_finite(stored: h5py.Dataset) -> bool:
    if stored.dtype.kind != "f":
        return True
    for start in range(0, len(stored), ROWS):
        if not np.isfinite(stored[start : start + ROWS]).all():
            return False
    return True


def attributes(file: h5py.File, names: tuple[str, ...]) -> dict[str, Any]:
    """Settings that a file was made with, as plain values."""
    values = {}
    for name in names:
        value = file.attrs[name]
        values[name] = value.item() if isinstance(value, np.generic) else value
    return values

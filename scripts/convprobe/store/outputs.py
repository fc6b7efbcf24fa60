"""Kinds of result files, as the `outputs.py` of each question declares them.

The rules' paths, `rule all`, the files that are verified, the links of the page and
`results/README.md` are read from these declarations. They are plain values, because a Snakefile
reads them at every start. Nothing that computes a result imports one: another wording of a
description makes no result stale.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace

WILDCARD = re.compile(r"{(\w+)}")
DOTTED = ("layer",)  # wildcards whose values may have dots, as layer1.0.conv1
FIGURE_SUFFIXES = (".png", ".svg", ".txt")

# By the names of wildcards: each combination of their values.
WildcardValues = Mapping[tuple[str, ...], Iterable[Mapping[str, str | int]]]


@dataclass(frozen=True, eq=False)
class Output:
    """A file, or several of a kind.

    Attributes:
        path: relative to the folder of the experiment, run or probed epoch that it lies in; several
            of a kind have wildcards in braces.
        about: what is in it, in one or a few sentences.
        tab: the part of the page that links it; empty if none does.
        asked: whether `rule all` asks for it. If not, it is made only where another file needs it.
        listed: whether it is in the page's list of all files.
        shown: whether the page shows what is in it, and so is made after it.
        caption: name of a text in `report/`, without suffix; only of what Snakemake's report shows.
        category: its heading in Snakemake's report.
    """

    path: str
    about: str
    _: KW_ONLY
    tab: str = ""
    asked: bool = True
    listed: bool = True
    shown: bool = False
    caption: str = ""
    category: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all files, with wildcards."""
        return (self.path,)

    @property
    def wildcards(self) -> tuple[str, ...]:
        """Names of the wildcards in the path."""
        return tuple(WILDCARD.findall(self.path))

    def matches(self, name: str) -> bool:
        """Whether a path, relative to the same folder, is one of these files."""
        return any(pattern(template).fullmatch(name) for template in self.files)


def pattern(template: str) -> re.Pattern[str]:
    """A regular expression for a template; a value has no slash, and most have no dot."""
    parts = WILDCARD.split(template)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = ["[^/]+" if name in DOTTED else "[^/.]+" for name in parts[1::2]]
    return re.compile("".join(parts))


@dataclass(frozen=True, eq=False)
class Table(Output):
    """CSV with a header.

    Attributes:
        columns: the meaning of each, in order; none if the header depends on the data.
        optional: columns after these that only some tables have.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Json(Output):
    """JSON with a mapping at its top.

    Attributes:
        keys: the meaning of each, in order.
        optional: keys that only some files have.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """An array in an HDF5 file.

    Attributes:
        type: NumPy's name, or `text`.
        axes: names of the axes, separated by commas; the file has the coordinates of each.
        about: what is in it, in a few words.
        optional: whether only some files have it.
    """

    type: str
    axes: str
    about: str
    optional: bool = False


@dataclass(frozen=True, eq=False)
class Hdf5(Output):
    """HDF5.

    Attributes:
        datasets: by name, which may have wildcards.
        attributes: of the file, and their meaning.
    """

    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Tensors(Output):
    """Plain values and tensors, in PyTorch's form.

    Attributes:
        entries: the meaning of each.
    """

    entries: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Page(Output):
    """HTML."""


@dataclass(frozen=True, eq=False)
class Figure(Output):
    """A picture, a vector copy of it, and its title and caption as text; the path has no suffix.

    Attributes:
        labels: of its files in Snakemake's report, besides the run and the epoch.
    """

    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(self.path + suffix for suffix in FIGURE_SUFFIXES)

    def filled(self, values: Mapping[str, str | int]) -> "Figure":
        """One figure of several: with these values of the wildcards in the path and the labels."""
        labels = {name: label.format(**values) for name, label in self.labels.items()}
        return replace(self, path=self.path.format(**values), labels=labels)


def names(outputs: Iterable[Output], values: WildcardValues) -> list[str]:
    """Paths of all files, for each combination of the values of their wildcards.

    Raises:
        LookupError: nobody said what values the wildcards of an output have.
    """
    paths = []
    for output in outputs:
        for combination in _combinations(output, values):
            paths += [template.format(**combination) for template in output.files]
    return paths


def links(outputs: Iterable[Output], values: WildcardValues) -> dict[str, list[str]]:
    """The files that each part of the page links: of a figure, its picture.

    Raises:
        LookupError: as `names`.
    """
    by_tab: dict[str, list[str]] = {}
    for output in outputs:
        if not output.tab:
            continue
        linked = by_tab.setdefault(output.tab, [])
        for combination in _combinations(output, values):
            linked.append(output.files[0].format(**combination))
    return by_tab


def _combinations(output: Output, values: WildcardValues) -> Iterable[Mapping[str, str | int]]:
    if not output.wildcards:
        return [{}]
    if output.wildcards not in values:
        wanted = ", ".join(output.wildcards)
        raise LookupError(f"{output.path}: no values of {wanted}, expected them in VALUES")
    return values[output.wildcards]

"""results/README.md, made from the declarations of files: `make generate` writes it anew."""

import string
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from convprobe.report import outputs as reports
from convprobe.store.outputs import Dataset, Figure, Hdf5, Json, Output, Table, Tensors

PAGE = Path(__file__).parents[1] / "results/README.md"
TEMPLATE = Path(__file__).with_name("contract.md")


def markdown() -> str:
    """The page: introduction, a section per folder with every file, and how files are verified."""
    template = string.Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        experiment=section(
            (*reports.OF_EXPERIMENT, *reports.OF_SEVERAL_NETWORKS, *reports.OF_GROUP)
        ),
        run=section(reports.OF_ANY_RUN),
        probe=section(reports.OF_PROBE),
    )


def section(outputs: Iterable[Output]) -> str:
    return "\n\n".join(map(described, outputs))


def described(output: Output) -> str:
    """A file with its name as a heading, what is in it, and a list of its parts."""
    name = f"{output.path}.png" if isinstance(output, Figure) else output.path
    paragraphs = [f"### `{name}`", wrapped(output.about)]
    parts = [wrapped(line, indent="  ") for line in contents(output)]
    if parts:
        paragraphs.append("\n".join(parts))
    return "\n\n".join(paragraphs)


def wrapped(text: str, indent: str = "") -> str:
    """In lines of 100 characters, all but the first indented."""
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def contents(output: Output) -> list[str]:
    """A line per column, key, entry, or dataset and attribute."""
    match output:
        case Table():
            return listed(output.columns) + listed(output.optional)
        case Json():
            return listed(output.keys) + listed(output.optional)
        case Tensors():
            return listed(output.entries)
        case Hdf5():
            return datasets(output.datasets) + attributes(output.attributes)
    return []


def listed(meanings: Mapping[str, str]) -> list[str]:
    return [f"- `{name}`: {meaning}" for name, meaning in meanings.items()]


def datasets(declared: Mapping[str, Dataset]) -> list[str]:
    lines = []
    for name, dataset in declared.items():
        lines.append(f"- `{name}`, {dataset.type} ({dataset.axes}): {dataset.about}")
    return lines


def attributes(declared: Mapping[str, str]) -> list[str]:
    return [f"- attribute `{name}`: {meaning}" for name, meaning in declared.items()]


if __name__ == "__main__":
    PAGE.write_text(markdown(), encoding="utf-8")

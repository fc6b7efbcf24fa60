"""The parts of docs/ that are made from the code, by `make generate`."""

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import networkx
import table

from convprobe.report import outputs as reports

REPOSITORY = Path(__file__).parents[1]
LIBRARY = REPOSITORY / "scripts/convprobe"
DOCS = REPOSITORY / "docs"
# The parts of the library, from the roof down, and what they are about. What stands on one floor
# doesn't import its neighbours.
PROBES = [module.__name__.split(".")[1] for module in reports.PROBES]
FLOORS = (
    (("report",), "the page, the card, verification"),
    (("training", *PROBES), "the questions"),
    (("plan",), "the config, digests, cost"),
    (("dataset",), ""),
    (("network",), ""),
    (("style", "job"), ""),
    (("store", "fonts"), ""),
    (("verdicts",), ""),
    (("intervals", "phrases"), ""),
    (("errors",), ""),
)


def house() -> str:
    """The floors, one above the other."""
    rows = [("   ".join(names), words) for names, words in FLOORS]
    width = max(len(names) for names, _ in rows) + 2
    lines = [f"{names:<{width}}{words}".rstrip() for names, words in rows]
    return "\n".join(["```", *lines, "```", ""])


def summary(path: Path) -> str:
    """The first line of a module's docstring, or of the first comment of another file."""
    if path.suffix in (".mjs", ".cpp"):
        return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("// ")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).partition("\n")[0]


def is_folder(part: str) -> bool:
    return (LIBRARY / part).is_dir()


def tree() -> str:
    """Every module of the library and what it is about, wing by wing."""
    lines = ["```"]
    for wing in filter(is_folder, itertools.chain.from_iterable(names for names, _ in FLOORS)):
        lines.append(f"{wing}/")
        folder = LIBRARY / wing
        modules = sorted([*folder.glob("[!_]*.py"), *folder.glob("*.cpp")])
        lines += [f"    {path.name:<26}{summary(path)}" for path in modules]
    alone = sorted(LIBRARY.glob("[!_]*.py"))
    lines += [f"{path.name:<30}{summary(path)}" for path in alone]
    return "\n".join([*lines, "```", ""])


def scripts() -> str:
    """What runs: the script of every rule, and the modules of the page's script."""
    found = sorted((REPOSITORY / "scripts").glob("*.py"))
    found += sorted((REPOSITORY / "report/explorer").glob("*.mjs"))
    lines = [f"{path.relative_to(REPOSITORY).as_posix():<40}{summary(path)}" for path in found]
    return "\n".join(["```", *lines, "```", ""])


def rule_graph(mermaid: str) -> networkx.DiGraph:
    """Which rule needs which, without what follows from other arrows.

    Args:
        mermaid: Snakemake's own graph of the rules, as it prints it.
    """
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", mermaid, re.MULTILINE))
    graph = networkx.DiGraph()
    for start, end in re.findall(r"(id\d+) --> (id\d+)", mermaid):
        if start != end and names[end] != "all":
            graph.add_edge(names[start], names[end])
    return networkx.transitive_reduction(graph)


def drawn(graph: networkx.DiGraph) -> str:
    """The graph as the page shows it, with the rules of one file in a box."""
    lines = ["```mermaid", "flowchart LR"]
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        rules = re.findall(r"^ *(?:rule|checkpoint) (\w+):", text, re.MULTILINE)
        shown = [rule for rule in rules if rule in graph]
        if shown:
            lines += [
                f"    subgraph {path.stem}",
                *(f"        {rule}" for rule in shown),
                "    end",
            ]
    lines += [f"    {start} --> {end}" for start, end in sorted(graph.edges)]
    return "\n".join([*lines, "```", ""])


# Of docs/architecture.md; its graph of the rules comes from Snakemake.
PARTS = {"house": house, "tree": tree, "scripts": scripts}


def section(name: str) -> re.Pattern:
    """Matches the part of the page between the two marks of a name."""
    return re.compile(f"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)


def shown(page: str, name: str) -> str:
    """A generated part as it stands on a page of docs/."""
    return section(name).search((DOCS / page).read_text(encoding="utf-8"))[0]


def replace(page: str, name: str, part: str) -> None:
    path = DOCS / page
    text = section(name).sub(lambda _: part, path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def main() -> None:
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js", "--forceall"]
    command += ["--configfile", "presets/demo.yaml"]
    mermaid = subprocess.run(
        command, cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout
    for name, part in PARTS.items():
        replace("architecture.md", name, part())
    replace("architecture.md", "rules", drawn(rule_graph(mermaid)))
    replace("staleness.md", "staleness", table.markdown())


if __name__ == "__main__":
    main()

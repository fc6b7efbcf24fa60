"""The README's graph of the rules, against Snakemake's own."""

import re
from pathlib import Path

import networkx

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_rules_and_what_each_is_made_from(workflow):
    told = workflow.run(
        "--rulegraph", "mermaid-js", "--forceall", configs=["presets/demo.yaml"]
    ).stdout
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]", told, re.MULTILINE))
    edges = [(names[start], names[end]) for start, end in re.findall(r"(id\d+) --> (id\d+)", told)]
    graph = networkx.DiGraph(
        [(start, end) for start, end in edges if start != end and end != "all"]
    )
    # What follows from other arrows is not drawn.
    expected = set(networkx.transitive_reduction(graph).edges)
    drawn = re.search(r"```mermaid\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert set(re.findall(r"(\w+) --> (\w+)", drawn)) == expected

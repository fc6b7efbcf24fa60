"""docs/architecture.md shows the code as it is; `make generate` writes its generated parts."""

import architecture
import pytest
import table


def shown(name: str) -> str:
    return architecture.section(name).search(architecture.PAGE.read_text(encoding="utf-8"))[0]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("house", architecture.house),
        ("tree", architecture.tree),
        ("scripts", architecture.scripts),
        ("staleness", table.markdown),
    ],
)
def test_the_page_shows_what_the_code_gives(name, make):
    assert shown(name) == make()


def test_the_page_shows_snakemake_s_own_graph_of_the_rules(workflow):
    completed = workflow.run(
        "--rulegraph", "mermaid-js", "--forceall", configs=["presets/demo.yaml"]
    )
    assert shown("rules") == architecture.drawn(architecture.rule_graph(completed.stdout))

"""docs/ shows the code as it is; `make generate` writes its generated parts."""

import architecture
import pytest
import table


@pytest.mark.parametrize("name", architecture.PARTS)
def test_the_page_shows_what_the_code_gives(name):
    assert architecture.shown("architecture.md", name) == architecture.PARTS[name]()


def test_the_table_of_edits_is_that_of_the_tests():
    assert architecture.shown("staleness.md", "staleness") == table.markdown()


def test_the_page_shows_snakemake_s_own_graph_of_the_rules(workflow):
    completed = workflow.run(
        "--rulegraph", "mermaid-js", "--forceall", configs=["presets/demo.yaml"]
    )
    assert architecture.shown("architecture.md", "rules") == architecture.drawn(
        architecture.rule_graph(completed.stdout)
    )

"""The page's tabs, their scripts and what they show hang together."""

import ast
import re
from pathlib import Path

import pytest
from unit.report.test_outputs import EVERY

from convprobe.report import (
    ablation_tab,
    explorer,
    filters_tab,
    occlusion_tab,
    outputs,
    seed_comparison,
)

# That read what the page shows.
MODULES = (explorer, seed_comparison, occlusion_tab, filters_tab, ablation_tab)
HTML = (explorer.SOURCES / "page.html").read_text(encoding="utf-8")
MAIN = (explorer.SOURCES / "main.mjs").read_text(encoding="utf-8")
TABS = re.findall(r'role="tab" id="tab-(\w+)" aria-controls="(\w+)"', HTML)
PROBES = [probe.__name__.split(".")[1] for probe in outputs.PROBES]


def tree(module) -> ast.Module:
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def test_every_tab_opens_its_panel():
    panels = re.findall(r'role="tabpanel" id="(\w+)" aria-labelledby="tab-(\w+)"', HTML)
    assert panels == TABS
    assert all(tab == panel for tab, panel in TABS)


def test_every_probe_has_a_tab_and_no_other_tab_is_there():
    assert [tab for tab, _ in TABS] == [*PROBES, "experiment"]


@pytest.mark.parametrize("tab", [tab for tab, _ in TABS])
def test_every_tab_is_drawn_by_its_module(tab):
    (imported,) = re.findall(rf'^import {{ (.*) }} from "./{tab}.mjs";$', MAIN, re.MULTILINE)
    show = f"show{tab.capitalize()}"
    assert show in imported.split(", ")
    called = re.findall(rf"^ *{show}\((?:before)?\);$", MAIN, re.MULTILINE)
    assert len(called) == 1, f"main.mjs calls {show}"


@pytest.mark.parametrize("probe", PROBES)
def test_the_page_holds_what_the_tab_of_a_probe_shows(probe):
    called = {
        ast.unparse(node.func) for node in ast.walk(tree(explorer)) if isinstance(node, ast.Call)
    }
    assert f"{probe}_tab.collect" in called, "explorer.py doesn't put it into the page"


def test_every_part_of_the_page_that_links_files_has_a_place_for_the_links():
    places = re.findall(r'id="(\w+)-files"', HTML)
    assert set(places) == {output.tab for _, output in EVERY} - {""}


def template(node: ast.Constant | ast.JoinedStr) -> str:
    """A path as it is declared, with the names of its wildcards."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts = []
    for part in node.values:
        inner = isinstance(part, ast.FormattedValue)
        parts.append(f"{{{ast.unparse(part.value)}}}" if inner else str(part.value))
    return "".join(parts)


def test_the_page_is_made_after_exactly_the_files_that_it_reads():
    """A file that no input names may not be there yet, or may be an old one."""
    nodes = [node for module in MODULES for node in ast.walk(tree(module))]
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    named = set()
    for node in nodes:
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in inside:
            named.add(template(node))
    read = {name for name in named if re.fullmatch(r"\S+\.(csv|h5|json)", name)}
    assert read == {output.path for _, output in EVERY if output.shown}

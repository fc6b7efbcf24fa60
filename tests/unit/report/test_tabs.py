"""The page's tabs, their scripts and what they show hang together."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from unit.report.test_outputs import EVERY

from convprobe.report import explorer, outputs, seed_comparison

HTML = (explorer.PAGE_FOLDER / "page.html").read_text(encoding="utf-8")
MAIN = (explorer.PAGE_FOLDER / "main.mjs").read_text(encoding="utf-8")
TABS = re.findall(r'role="tab" id="tab-(\w+)" aria-controls="(\w+)"', HTML)
PROBES = [probe.__name__.split(".")[1] for probe in outputs.PROBES]
OF_TABS = [importlib.import_module(f"convprobe.report.{probe}_tab") for probe in PROBES]
MODULES = (explorer, seed_comparison, *OF_TABS)  # that read what the page shows
SOURCES = ("sources", "settings['sources']")  # what they call PAGE_SOURCES


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


def test_the_page_is_made_after_exactly_the_files_that_it_reads():
    """A file that no input names may not be there yet, or may be an old one."""
    shown = [output.path for _, output in EVERY if output.shown]
    assert sorted(outputs.PAGE_SOURCES.values()) == sorted(shown)
    nodes = [node for module in MODULES for node in ast.walk(tree(module))]
    read = set()
    for node in nodes:
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) in SOURCES:
            read.add(node.slice.value)
    assert read == set(outputs.PAGE_SOURCES)


def test_the_page_s_code_spells_no_path_of_a_declared_file():
    nodes = [node for module in MODULES for node in ast.walk(tree(module))]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    texts = [text for text in texts if isinstance(text, str)]
    assert not [text for text in texts if re.fullmatch(r"\S*\.(csv|h5|json)", text)]

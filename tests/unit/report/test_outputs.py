"""The declarations of all files hang together, and results/README.md says what they say."""

import re
from types import SimpleNamespace

import contract
import jinja2
import pytest

from convprobe.dataset import outputs as dataset
from convprobe.report import claims
from convprobe.report import outputs as reports
from convprobe.store.outputs import Figure, Output
from convprobe.training import outputs as training

FOLDERS = {
    "": (*reports.OF_EXPERIMENT, *reports.OF_SEVERAL_NETWORKS, *reports.OF_GROUP),
    "normalised/": reports.OF_ANY_RUN,
    "normalised/epoch-13/": reports.OF_PROBE,
}
EVERY = [(folder, output) for folder, outputs in FOLDERS.items() for output in outputs]
IDS = [folder + output.path for folder, output in EVERY]
VALUES = {
    "epoch": "13",
    "group": "normalised",
    "window": "3",
    "shard": "0001",
    "sheet": "1",
    "layer": "conv2",
    "channel": "400",
    "page": "01",
}


def test_the_readme_of_the_results_says_what_is_declared():
    written = contract.PAGE.read_text(encoding="utf-8")
    assert written == contract.markdown(), "write it anew with `make generate`"


@pytest.mark.parametrize(("folder", "output"), EVERY, ids=IDS)
def test_a_file_is_known_by_its_path(folder, output):
    for template in output.files:
        name = folder + template.format_map(VALUES)
        assert reports.declared(name) is output, name


def test_no_path_is_declared_twice():
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize(("folder", "output"), EVERY, ids=IDS)
def test_what_snakemakes_report_shows_has_its_caption(folder, output):
    captions = contract.PAGE.parents[1] / "report"
    assert bool(output.caption) == bool(output.category)
    assert output.caption or not isinstance(output, Figure)
    if output.caption:
        assert (captions / f"{output.caption}.rst").is_file()


def test_snakemakes_report_has_the_page_s_questions_in_its_order():
    """Snakemake sorts them by name: each has its number on the page before it."""
    page = (contract.PAGE.parents[1] / "report/explorer/page.html").read_text(encoding="utf-8")
    tabs = re.findall(r'<button role="tab"[^>]*>\s*(.*?)\s*</button>', page)
    assert len(tabs) == 4
    categories = sorted({output.category for _, output in EVERY if output.category})
    assert categories == [f"{number} {tab}" for number, tab in enumerate(tabs, start=1)]


def test_every_figure_has_a_name_in_snakemakes_report_that_says_its_place():
    """Snakemake sorts these as well; a figure without a name would be a blank line."""
    named = {}
    for _, output in EVERY:
        if isinstance(output, Figure):
            labels = [output.labels.get("figure"), output.labels.get("images")]
            (label,) = filter(None, labels)
            named.setdefault(output.category, []).append(label)
    for category, labels in named.items():
        if len(labels) > 1:
            numbers = sorted(label[0] for label in labels)
            assert numbers == [str(place) for place in range(1, len(labels) + 1)], category


@pytest.mark.parametrize(("as_published", "place"), [(False, "on top"), (True, "at the bottom")])
def test_the_caption_of_top_patches_says_where_the_highest_is(as_published, place):
    text = (contract.PAGE.parents[1] / "report/top-patches.rst").read_text(encoding="utf-8")
    params = SimpleNamespace(settings={"as_published": as_published})
    rendered = jinja2.Template(text).render(snakemake=SimpleNamespace(params=params))
    assert f"highest response is {place}" in " ".join(rendered.split())


def test_every_caption_belongs_to_a_file():
    captions = {path.stem for path in (contract.PAGE.parents[1] / "report").glob("*.rst")}
    assert captions == {output.caption for _, output in EVERY if output.caption} | {"workflow"}


@pytest.mark.parametrize("name", ["notes.txt", "normalised/epoch-13/notes.csv"])
def test_a_file_that_nobody_declared_is_named(name):
    with pytest.raises(LookupError, match=name):
        reports.declared(name)


def test_the_card_has_the_declared_columns():
    assert tuple(reports.CARD.columns) == claims.COLUMNS


@pytest.mark.parametrize("module", [reports, dataset, training, *reports.PROBES])
def test_every_declared_file_is_put_into_the_list_of_its_folder(module):
    declared = [one for one in vars(module).values() if isinstance(one, Output)]
    assert declared
    registered = [output for _, output in EVERY]
    assert all(output in registered for output in declared)

"""Only stale stages rerun: what Snakemake plans after each edit of a finished study."""

import concurrent.futures
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from edits import (
    AFTER_DATA,
    EDITS,
    EVERYTHING,
    LAST,
    LONGER,
    MODULES,
    PROBED,
    TWO_SEEDS,
    WITH_LAST_STATE_ONLY,
    WITH_TWO_SEEDS,
    configure,
    discards,
)

from convprobe.plan.fingerprint import fingerprint
from convprobe.report import explorer

pytestmark = pytest.mark.slow
BOTH = ("normalised-seed-0", "normalised-seed-1")
REPOSITORY = Path(__file__).parents[2]


def planned(output):
    """The jobs in Snakemake's output, as rule and wildcards, with the reason of each."""
    found = {}
    for block in re.split(r"\n(?=\[\w{3} \w{3})", output):
        named = re.search(r"^(?:local)?(?:rule|checkpoint) (\w+):$", block, re.MULTILINE)
        if named and named[1] != "all":
            wildcards = re.search(r"^    wildcards: (.*)$", block, re.MULTILINE)
            values = re.findall(r"=([^,]*)", wildcards[1]) if wildcards else []
            reason = re.search(r"^    reason: (.*)$", block, re.MULTILINE)
            found[" ".join([named[1], *values])] = reason[1]
    return found


def plan(workflow, *options):
    completed = workflow.run("--dry-run", *options)
    assert completed.returncode == 0, completed.stdout[-3000:]
    return planned(completed.stdout)


def scripts_by_module():
    """The scripts that import each module, directly or not, according to the rules' digests."""
    reached = {name: set() for name in MODULES}
    for script in (REPOSITORY / "scripts").glob("*.py"):
        for file in fingerprint(script):
            name = file.removeprefix("convprobe/").removesuffix(".py")
            reached.setdefault(name, set()).add(script.name)
    return reached


def kinds_of_edits():
    """What makes an edit different from others for Snakemake, by the edit's name.

    Modules that the same scripts import make the same rules stale, whatever their names: planning
    one of them is enough.
    """
    reached = scripts_by_module()
    kinds = {edit.what: edit.what for edit in EDITS}
    for name in MODULES:
        kinds[f"code of `{name}`"] = frozenset(reached[name])
    return kinds


def parts(kind, kinds):
    """The kinds of which one is made up, if it is: what they make due is due after its edits too.

    Snakemake finds a job stale by its own rule's digests, or after one that is stale.
    """
    if isinstance(kind, str):
        return []
    smaller = [other for other in kinds if isinstance(other, frozenset) and other < kind]
    return smaller if smaller and frozenset().union(*smaller) == kind else []


def groups(examples):
    """The kinds of edits that are planned at once: most alone, those that leave nothing due not."""
    found = {}
    for kind, edit in examples.items():
        if not parts(kind, examples):
            found.setdefault(edit.together or kind, []).append(kind)
    return list(found.values())


def plan_after(edit, finished, folder):
    return plan_after_all([edit], finished, folder)


def plan_after_all(edits, finished, folder):
    """Make edits one after the other, each with a config file of its own, and plan once."""
    workflow = finished.copy(folder / "convprobe")
    *others, last = workflow.configs
    options = []
    for number, edit in enumerate(edits):
        edit.do(workflow)
        options += edit.options
        others.append(f"edit-{number}.yaml")
        shutil.copy2(workflow.folder / last, workflow.folder / others[-1])
    workflow.configs = (*others, last)
    jobs = plan(workflow, *options)
    shutil.rmtree(workflow.folder)
    return jobs


@pytest.fixture(scope="session")
def plans(finished, tmp_path_factory):
    """The jobs that are planned after each edit, by the edit's name."""
    kinds = kinds_of_edits()
    examples = {kinds[edit.what]: edit for edit in EDITS}

    def planned_after(some):
        edits = [examples[kind] for kind in some]
        return plan_after_all(edits, finished, tmp_path_factory.mktemp("edited"))

    def planned_of(group):
        jobs = planned_after(group)
        if not jobs:
            return dict.fromkeys(group, jobs)
        return {kind: planned_after([kind]) if group[1:] else jobs for kind in group}

    found = {}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for jobs in pool.map(planned_of, groups(examples)):
            found |= jobs
    for kind in examples.keys() - found.keys():
        found[kind] = set().union(*(found[part] for part in parts(kind, found)))
    return {what: found[kind] for what, kind in kinds.items()}


def test_a_run_from_nothing_makes_all_jobs(finished):
    assert set(planned(finished.first_log)) == EVERYTHING


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.what)
def test_exactly_the_stale_jobs_are_planned(plans, edit):
    assert set(plans[edit.what]) == edit.due


def test_every_module_of_the_library_stands_in_the_table():
    library = REPOSITORY / "scripts/convprobe"
    modules = [path for path in library.rglob("*.py") if path.name != "__init__.py"]
    names = [path.relative_to(library).with_suffix("").as_posix() for path in modules]
    names += [path.relative_to(library).as_posix() for path in library.rglob("*.cpp")]
    assert set(names) == set(MODULES)


def test_the_reason_names_the_file_that_changed(finished, tmp_path):
    (edit,) = [edit for edit in EDITS if edit.what == "code of `ablation/variants`"]
    reason = plan_after(edit, finished, tmp_path)["compare_ablations normalised epoch-01"]
    assert re.findall(r"'(\S+\.py) \w{16}'", reason) == ["convprobe/ablation/variants.py"] * 2


def test_what_is_planned_is_what_runs_and_then_nothing_is_due(finished, tmp_path):
    """Three stages are edited at once and really run; what is not due stays as it was."""
    workflow = finished.copy(tmp_path / "convprobe")
    configure("occlusion: {windows: [3, 7]}\nfilters: {top: 1}\nablation: {random_controls: 1}")(
        workflow
    )
    kept = workflow.folder / PROBED / "occlusion/window-3.h5"
    date = kept.stat().st_mtime_ns
    expected = plan(workflow)
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert set(planned(workflow.log())) == set(expected)
    assert kept.stat().st_mtime_ns == date
    assert not plan(workflow)


@pytest.fixture(scope="session")
def thinned(finished, tmp_path_factory):
    """The study when only the last optimizer state of each run is kept, as a user sets it later."""
    workflow = finished.copy(tmp_path_factory.mktemp("thinned") / "convprobe")
    configure(LAST)(workflow)
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    assert set(planned(workflow.log())) == discards("normalised", "raw")
    return workflow


def states(workflow):
    """The epochs whose optimizer state is there, by run."""
    names = [name for name in workflow.files() if name.endswith(".optimizer.pth")]
    return sorted(f"{name.partition('/')[0]} {name[-16:-14]}" for name in names)


def test_states_that_are_not_kept_are_deleted_and_verification_says_so(thinned):
    assert states(thinned) == ["normalised 02", "raw 02"]
    digests = thinned.folder.rglob(".*.optimizer.pth.sha256")
    assert sorted(path.name for path in digests) == [".epoch-02.optimizer.pth.sha256"] * 2
    verified = thinned.run("verify_results")
    assert verified.returncode == 0, verified.stdout
    log = (thinned.folder / "logs/tiny/verification.log").read_text()
    assert f"all {len(thinned.files())} files are there, whole and in agreement\n" in log
    assert "not kept, as training.keep_optimizer asked: 2 optimizer states\n" in log


@pytest.mark.parametrize("edit", WITH_LAST_STATE_ONLY, ids=lambda edit: edit.what)
def test_without_the_first_states_exactly_the_stale_jobs_are_planned(thinned, tmp_path, edit):
    assert set(plan_after(edit, thinned, tmp_path)) == edit.due


@pytest.fixture(scope="session")
def seeded(finished, tmp_path_factory):
    """The study with two seeds of its probed run."""
    workflow = finished.copy(tmp_path_factory.mktemp("seeded") / "convprobe")
    configure(TWO_SEEDS)(workflow)
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    return workflow


@pytest.mark.parametrize("edit", WITH_TWO_SEEDS, ids=lambda edit: edit.what)
def test_of_several_seeds_exactly_the_stale_jobs_are_planned(seeded, tmp_path, edit):
    assert set(plan_after(edit, seeded, tmp_path)) == edit.due


def test_results_of_several_seeds_are_whole_and_compared(seeded):
    verified = seeded.run("verify_results")
    assert verified.returncode == 0, verified.stdout
    files = seeded.files()
    curves = [pd.read_csv(files[f"{run}/learning-curve.csv"]) for run in BOTH]
    together = pd.read_csv(files["learning-curve-normalised.csv"])
    assert together["run"].tolist() == [run for run in BOTH for _ in range(2)]
    assert together["seed"].tolist() == [0, 0, 1, 1]
    of_seeds = [curve["test_accuracy"] for curve in curves]
    assert together["test_accuracy"].tolist() == pd.concat(of_seeds).tolist()
    card = pd.read_csv(files["reproduction.csv"]).set_index("claim")
    row = card.loc["test accuracy with normalisation, selected epoch"]
    selected = [curve["test_accuracy"][0] for curve in curves]
    assert row["measured"] == pytest.approx(sum(selected) / 2, abs=1e-6)
    assert row["seeds"] == 2
    raw = card.loc["test accuracy without normalisation, best epoch"]
    assert raw["seeds"] == 1
    shown, _ = explorer.read(files["explorer.html"])
    (group,) = shown["groups"]
    assert [seed["accuracy"] for seed in group["seeds"]] == [list(curve) for curve in of_seeds]
    assert [row[1] for row in group["probed"]["rows"][:2]] == pytest.approx(selected, abs=1e-6)


def test_an_epoch_goes_on_from_the_state_that_was_kept(finished, thinned, tmp_path):
    weights = {}
    for name, base, text in (("all", finished, "{}"), ("last", thinned, "keep_optimizer: last")):
        workflow = base.copy(tmp_path / name)
        settings = "" if text == "{}" else f", {text}"
        configure(f"training: {{epochs: 3{settings}}}")(workflow)
        completed = workflow.run("results/tiny/raw/checkpoints/epoch-03.pth")
        assert completed.returncode == 0, completed.stdout[-3000:]
        assert set(planned(workflow.log())) == {"train_epoch raw 03"}
        assert "trained again" not in completed.stdout
        weights[name] = workflow.files()["raw/checkpoints/epoch-03.pth"].read_bytes()
    assert weights["all"] == weights["last"]


def test_where_no_state_was_kept_training_again_is_announced_and_gives_the_same_bytes(
    finished, tmp_path
):
    workflow = finished.copy(tmp_path / "convprobe")
    configure("training: {keep_optimizer: []}")(workflow)
    assert workflow.run().returncode == 0
    assert states(workflow) == []
    configure("training: {keep_optimizer: [], epochs: 3}")(workflow)
    expected = (AFTER_DATA | LONGER) | discards("normalised", "raw")
    assert set(plan(workflow)) == expected
    before = workflow.files()["raw/checkpoints/epoch-02.pth"].read_bytes()
    completed = workflow.run("results/tiny/raw/checkpoints/epoch-03.pth")
    assert completed.returncode == 0, completed.stdout[-3000:]
    words = " ".join(completed.stdout.split())
    assert (
        "convprobe: warning: epochs 1 to 2 are trained again for raw: epoch 3 goes on from the "
        "optimizer's state after epoch 2, which was not kept (training.keep_optimizer)"
    ) in words
    assert workflow.files()["raw/checkpoints/epoch-02.pth"].read_bytes() == before


def test_the_best_epoch_is_probed_once_it_is_known(finished, tmp_path):
    """With `policy: best`, the jobs after the selection are planned once that is made."""
    workflow = finished.copy(tmp_path / "convprobe")
    configure("selection: {policy: best, split: test}")(workflow)
    completed = workflow.run()
    assert completed.returncode == 0, completed.stdout[-3000:]
    ran = set(planned(workflow.log()))
    always = {
        f"{rule} {run}"
        for rule in ("select_epoch", "plot_learning_curve")
        for run in ("normalised", "raw")
    }
    assert always <= ran
    assert not any(
        job.startswith(("train", "evaluate", "prepare", "tabulate_learning")) for job in ran
    )
    assert not plan(workflow)
    configure("selection: {policy: best, split: test, epoch: 2}")(workflow)
    assert not plan(workflow), "the epoch of policy fixed changes nothing here"


def test_an_archive_of_cifar10_that_is_there_is_never_due(make_workflow):
    """Whether downloaded or put there by hand, and write-protected as by earlier versions."""
    workflow = make_workflow()
    workflow.configs = ["presets/small.yaml"]
    assert "download_dataset" in plan(workflow)
    archive = workflow.folder / "resources/cifar10/cifar-10-python.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"")
    archive.chmod(0o444)
    assert "download_dataset" not in plan(workflow, "--forceall")

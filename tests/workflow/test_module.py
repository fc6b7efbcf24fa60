"""Another workflow imports this one, as docs/import.md shows it."""

import re
import subprocess

import pytest
import yaml
from conftest import REPOSITORY, TINY, Workflow

from convprobe.plan.reading import merged

PAGE = (REPOSITORY / "docs/import.md").read_text(encoding="utf-8")
PROFILE = ("--workflow-profile", "../convprobe/profiles/default")
MAPS = "results/mine/normalised/epoch-02/occlusion/window-3.h5"


def example(language):
    """A block of the page."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return block


@pytest.fixture
def importer(workflow):
    """A workflow beside this one, of the page's files, with the tiny network and few images."""
    folder = workflow.folder.parent / "importer"
    folder.mkdir()
    settings = yaml.safe_load(TINY) | {"experiment": "mine"}
    config = merged(yaml.safe_load(example("yaml")), {"convprobe": settings})
    found = Workflow(folder, ("config.yaml",))
    found.configure(yaml.safe_dump(config), "config.yaml")
    return found.configure(example("snakemake"), "Snakefile")


def edit(importer, name, old, new):
    """Replace what must be there once."""
    before = (importer.folder / name).read_text(encoding="utf-8")
    assert before.count(old) == 1
    importer.configure(before.replace(old, new), name)


def test_the_example_makes_the_maps_that_the_workflow_makes_itself(workflow, importer):
    command = example("sh").splitlines()[-1]
    assert command == f"snakemake --cores 2 {' '.join(PROFILE)} copy_maps"
    completed = importer.run(*PROFILE, "copy_maps")
    assert completed.returncode == 0, completed.stdout[-5000:]
    assert "convprobe: experiment mine on the CPU" in completed.stdout
    assert completed.stdout.count("convprobe: warning: few training steps") == 1
    assert "lies in probes/results/mine, logs in probes/logs/mine\n" in completed.stdout
    made = {path.name for path in importer.folder.iterdir()}
    assert made == {".snakemake", "Snakefile", "config.yaml", "maps.h5", "probes"}
    assert not (workflow.folder / "results/mine").exists()

    again = importer.run(*PROFILE, "copy_maps")
    assert "Nothing to be done" in again.stdout

    workflow.configure("experiment: mine", "mine.yaml")
    completed = workflow.run(MAPS, configs=["tiny.yaml", "mine.yaml"])
    assert completed.returncode == 0, completed.stdout[-5000:]
    alone = (workflow.folder / MAPS).read_bytes()
    assert (importer.folder / "maps.h5").read_bytes() == alone

    code = workflow.folder / "scripts/convprobe/occlusion/windows.py"
    code.write_text(f"{code.read_text(encoding='utf-8')}\nADDED = 1\n", encoding="utf-8")
    due = importer.run(*PROFILE, "--dry-run", "copy_maps").stdout
    assert "rule convprobe_map_occlusion:" in due
    assert "rule convprobe_train_epoch:" not in due


def test_the_example_is_planned_as_it_is_printed(importer):
    importer.configure(example("yaml"), "config.yaml")
    planned = importer.run(*PROFILE, "--dry-run", "copy_maps")
    assert planned.returncode == 0, planned.stdout[-5000:]
    assert "rule convprobe_map_occlusion:" in planned.stdout


def test_the_best_epoch_of_a_module_is_probed_beside_another(importer):
    """Its checkpoint rule has another name there, and its input functions give paths to prefix."""
    edit(importer, "Snakefile", "convprobe.onstart()", "pass")
    config = yaml.safe_load((importer.folder / "config.yaml").read_text(encoding="utf-8"))
    other = {
        "selection": {"policy": "best", "split": "test"},
        "studied": ["normalised", "normalised/epoch-1", "normalised/epoch-2"],
        "compared": [],
        "training": {"epochs": 2, "keep_optimizer": "last"},
    }
    config = merged(config, {"convprobe": other})
    importer.configure(yaml.safe_dump(config), "config.yaml")
    results = "probes/results/mine/normalised"
    wanted = [f"{results}/through-training.png", f"{results}/checkpoints/discarded.json"]
    completed = importer.run(*PROFILE, *wanted)
    assert completed.returncode == 0, completed.stdout[-5000:]
    states = importer.folder.glob(f"{results}/checkpoints/*.optimizer.pth")
    assert [path.name for path in states] == ["epoch-02.optimizer.pth"]
    assert (importer.folder / results / "selection.json").is_file()
    assert "convprobe: experiment mine" not in completed.stdout
    assert completed.stdout.count("convprobe: warning: few training steps") == 1

    # What is there is found whole, and what is not is named.
    stopped = importer.run(*PROFILE, "convprobe_verify_results")
    assert "convprobe: stopped\n    probes/logs/mine/verification.log:" in stopped.stdout
    log = (importer.folder / "probes/logs/mine/verification.log").read_text(encoding="utf-8")
    assert "probes/results/mine/.explorer.html.sha256: can't be read" in log
    assert "through-training" not in log
    assert "window-5.h5" not in log  # the largest, which is drawn


def test_a_mistake_in_what_an_importer_gives_is_one_line(importer):
    edit(importer, "config.yaml", "  experiment: mine", "  experiment: a/b")
    refused = importer.run("--dry-run", "copy_maps")
    assert refused.returncode == 1
    line = 'experiment is "a/b", expected a name of at most 100 letters, digits, - and _'
    assert refused.stdout.splitlines()[-1] == f"config of module convprobe: {line}"


def test_without_a_config_and_a_prefix_it_is_what_config_yaml_says(importer):
    """Not what the importer's file of that name says."""
    importer.configure(
        "module probe:\n"
        "    snakefile:\n"
        '        "../convprobe/Snakefile"\n'
        "use rule * from probe as probe_*\n",
        "Snakefile",
    )
    importer.configure("unknown: 1", "config.yaml")
    planned = importer.run("--dry-run", "results/cifar10/raw/selection.json")
    assert planned.returncode == 0, planned.stdout[-5000:]
    assert re.search(r"probe_train_epoch +15\n", planned.stdout)
    assert re.search(r"probe_download_dataset +1\n", planned.stdout)


@pytest.mark.parametrize("own", [True, False])
def test_an_importer_s_first_rule_is_its_default_target(importer, own):
    own_rule = "rule mine:\n    shell:\n        'true'\n"
    module = example("snakemake").partition("rule copy_maps")[0]
    importer.configure(f"{own_rule * own}{module}", "Snakefile")
    planned = importer.run("--dry-run").stdout
    assert ("rule convprobe_all:" not in planned) == own


def test_two_modules_share_the_download_and_nothing_a_config_names_is_prefixed(importer):
    for name in ("one", "two"):
        module = (
            f"module {name}:\n"
            "    snakefile:\n"
            '        "../convprobe/Snakefile"\n'
            f"    prefix:\n        '{name}'\n"
            f"use rule * from {name} as {name}_*\n"
        )
        text = (importer.folder / "Snakefile").read_text() if name == "two" else ""
        importer.configure(text + module, "Snakefile")
    order = "ruleorder: one_download_dataset > two_download_dataset\n"
    importer.configure((importer.folder / "Snakefile").read_text() + order, "Snakefile")
    wanted = [f"{name}/results/cifar10/dataset/test-images.h5" for name in ("one", "two")]
    planned = importer.run("--dry-run", *wanted)
    assert planned.returncode == 0, planned.stdout[-5000:]
    assert planned.stdout.count("rule one_download_dataset:") == 1
    assert "rule two_download_dataset:" not in planned.stdout
    assert "output: resources/cifar10/cifar-10-python.tar.gz" in planned.stdout


def test_from_a_hosted_repository_its_library_is_unpacked(workflow, importer, monkeypatch):
    """A folder stands in for GitHub, by git's own setting."""
    hosts = importer.folder.parent / "hosts"
    hosted = hosts / "labs/convprobe"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"], ["tag", "v1"]):
        subprocess.run([*git, *arguments], cwd=workflow.folder, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", workflow.folder, hosted], check=True)
    settings = importer.folder.parent / "gitconfig"
    settings.write_text(f'[url "file://{hosts}/"]\n    insteadOf = https://github.com/\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(importer.folder.parent / "cache"))
    here = '"../convprobe/Snakefile"'
    edit(importer, "Snakefile", here, 'github("labs/convprobe", path="Snakefile", tag="v1")')
    wanted = "probes/results/mine/dataset/normalisation.json"
    completed = importer.run(wanted)
    assert completed.returncode == 0, completed.stdout[-5000:]
    assert (importer.folder / wanted).is_file()
    assert "Nothing to be done" in importer.run(wanted).stdout

"""What a config says about runs, epochs and images."""

import pytest
import yaml
from shipped_configs import LEAST, SCHEMA, with_preset, write_names

from convprobe.plan import config as configs
from convprobe.plan import study

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_what_a_run_overrides_is_not_filled_with_defaults():
    config = configs.checked(yaml.safe_load(LEAST), SCHEMA)
    assert config["runs"] == {"one": {}, "two": {"optimizer": {"learning_rate": 0.1}}}
    assert study.run_training(config, "two")["optimizer"] == {
        "name": "sgd", "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.0005,
    }  # fmt: skip


def test_how_many_images_each_split_has():
    def sizes(change):
        return study.split_sizes(
            configs.checked(configs.merged(with_preset()[0], yaml.safe_load(change)), SCHEMA)
        )

    write_names("pictures.zip", train=100, test=60)
    own = "dataset: {name: image-folder, path: pictures.zip, %s}\nablation: {table_images: 9}"
    assert sizes("{}") == {"train": 50_000, "test": 10_000}
    assert sizes("dataset: {train_images: 900, validation_images: 100}") == {
        "train": 800, "validation": 100, "test": 10_000,
    }  # fmt: skip
    assert sizes("dataset: {name: shapes, train_images: 70, test_images: 1000}") == {
        "train": 70,
        "test": 1000,
    }
    assert sizes(own % "validation_images: 10") == {"train": 90, "validation": 10, "test": 60}
    assert sizes(own % "test_images: 20") == {"train": 100, "test": 20}


STUDY = {
    "training": {
        "epochs": 4,
        "schedule": "constant",
        "normalise": True,
        "keep_optimizer": "last",
    },
    "runs": {
        "a": {},
        "b": {"epochs": 9, "schedule": "linear", "keep_optimizer": "all"},
        "own": {"weights": "folder/own.pth"},
        "c": {"keep_optimizer": [3, 1]},
    },
    "studied": ["b", "b/epoch-07", "b/epoch-2", "own", "a/epoch-3"],
    "compared": ["c"],
    "dataset": {"name": "shapes", "path": "somewhere"},
    "filters": {"chosen": ["conv1/0"]},
}


def with_seeds(change="{}"):
    """The published config with seeds, checked."""
    given = """
    runs: {normalised: {seeds: [7, 0], epochs: 14}, raw: {normalise: false}, other: {seeds: [1]}}
    studied: [normalised, normalised/epoch-5]
    """
    config = configs.merged(with_preset()[0], yaml.safe_load(given))
    return configs.checked(configs.merged(config, yaml.safe_load(change)), SCHEMA)


def test_a_run_of_several_seeds_is_a_plain_run_for_each():
    config = with_seeds()
    assert config["runs"] == {
        "normalised-seed-0": {"epochs": 14, "seed": 0},
        "normalised-seed-7": {"epochs": 14, "seed": 7},
        "raw": {"normalise": False},
        "other-seed-1": {"seed": 1},
    }
    assert study.studied_runs(config) == ["normalised-seed-0", "normalised-seed-7"]
    assert study.studied_epochs(config, "normalised-seed-7") == [5]
    assert study.built_runs(config) == ["normalised-seed-0", "normalised-seed-7", "raw"]


def test_the_run_of_a_seed_is_trained_as_one_that_is_given_by_itself():
    config = with_seeds()
    alone = with_seeds(
        "runs: {normalised: {seeds: [2]}, normalised-seed-7: {epochs: 14, seed: 7}}\n"
        "compared: [normalised-seed-7]"
    )
    of_group = study.epoch_settings(config, "normalised-seed-7")
    assert repr(of_group) == repr(study.epoch_settings(alone, "normalised-seed-7"))


def test_seeds_are_compared_that_are_given_together_and_built():
    config = with_seeds()
    both = ["normalised-seed-0", "normalised-seed-7"]
    assert study.group_runs(config) == {"normalised": both}
    assert study.same_but_for_seed(config, "normalised-seed-7") == both
    assert study.same_but_for_seed(config, "raw") == ["raw"]
    names = [study.given_name(config, run) for run in (*both, "raw")]
    assert names == ["normalised", "normalised", "raw"]


def test_a_page_shows_seeds_as_they_were_given():
    shown = study.shown(with_seeds())
    assert shown["runs"] == {
        "normalised": {"epochs": 14, "seeds": [0, 7]},
        "raw": {"normalise": False},
    }
    assert shown["studied"] == ["normalised", "normalised/epoch-5"]
    assert shown["compared"] == ["raw"]
    assert "groups" not in shown


def test_runs_are_studied_built_or_trained():
    assert study.studied_runs(STUDY) == ["b", "own", "a"]
    assert study.built_runs(STUDY) == ["b", "own", "a", "c"]
    assert study.trained_runs(STUDY) == ["b", "a", "c"]


def test_epochs_are_studied_in_order_beside_the_selected_one():
    assert study.studied_epochs(STUDY, "b") == [2, 7]
    assert study.studied_epochs(STUDY, "own") == []
    assert study.run_and_epoch("b/epoch-07") == ("b", 7)
    assert study.run_and_epoch("b") == ("b", None)


def test_the_number_of_epochs_changes_an_epoch_only_through_a_decaying_schedule():
    assert study.epoch_settings(STUDY, "a") == {"schedule": "constant", "normalise": True}
    assert study.epoch_settings(STUDY, "b")["epochs"] == 9


def test_which_states_of_the_optimizer_do_not_stay_changes_no_epoch():
    discarded = {run: study.discarded_states(STUDY, run) for run in ("a", "b", "c")}
    assert discarded == {"a": [1, 2, 3], "b": [], "c": [2, 4]}
    assert study.epoch_settings(STUDY, "a") == study.epoch_settings(STUDY, "c")


def test_the_normalisation_that_is_given_for_weights():
    def given(run):
        config = {**STUDY, "runs": {"own": {"weights": "own.pth", **run}}}
        return study.given_normalisation(config, "own")

    measured = {"mean": [0.5] * 3, "std": [0.2] * 3}
    assert given({}) is None
    assert given({"normalisation": measured}) == measured
    assert given({"normalise": False}) == {"mean": [0.0] * 3, "std": [1.0] * 3}


def test_a_page_shows_neither_other_runs_nor_where_files_lie():
    shown = study.shown({**STUDY, "runs": {**STUDY["runs"], "unused": {}}})
    assert list(shown["runs"]) == ["b", "own", "a", "c"]
    assert shown["runs"]["own"] == {"weights": "own.pth"}
    assert "path" not in shown["dataset"]
    assert "keep_optimizer" not in {**shown["training"], **shown["runs"]["c"]}
    assert STUDY["dataset"]["path"] == "somewhere"


@pytest.mark.parametrize(
    ("dataset", "size"),
    [
        ({"name": "shapes"}, (32, 32)),
        ({"name": "image-folder"}, None),
        ({"name": "image-folder", "image_size": 8}, (8, 8)),
        ({"name": "image-folder", "image_size": [24, 40]}, (24, 40)),
    ],
)
def test_the_size_of_the_images_where_it_is_known(dataset, size):
    assert study.image_size({"dataset": dataset}) == size

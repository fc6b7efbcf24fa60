"""What the page shows of several seeds, from the tables of each."""

import pandas as pd
import pytest

from convprobe.report import seed_comparison
from convprobe.report.outputs import PAGE_SOURCES
from convprobe.store import files, tables


def test_each_seeds_curve_stands_beside_the_mean(tmp_path):
    table = pd.DataFrame(
        {
            "run": ["a-seed-0"] * 2 + ["a-seed-7"] * 2,
            "seed": [0, 0, 7, 7],
            "epoch": [1, 2, 1, 2],
            "test_accuracy": [0.4, 0.9, 0.6, 0.7],
        }
    )
    tables.write(tmp_path / "learning-curve-a.csv", table)
    assert seed_comparison.curves(tmp_path, PAGE_SOURCES, "a") == {
        "group": "a",
        "epochs": [1, 2],
        "seeds": [{"seed": 0, "accuracy": [0.4, 0.9]}, {"seed": 7, "accuracy": [0.6, 0.7]}],
        "mean": pytest.approx([0.5, 0.8]),
    }


def test_what_the_probes_found_with_each_seed_its_mean_and_spread(tmp_path):
    folders = []
    for seed, (clean, ablated, confidence) in enumerate([(0.8, 0.7, 0.5), (0.82, 0.66, 0.7)]):
        folder = tmp_path / f"a-seed-{seed}/epoch-13"
        for name in ("ablation", "occlusion"):
            (folder / name).mkdir(parents=True)
        accuracies = {"variant": ["clean", "ablated"], "accuracy": [clean, ablated]}
        tables.write(folder / "ablation/accuracy.csv", pd.DataFrame(accuracies))
        # Two images, 0.1 below and above the mean.
        summary = {
            "window": [3, 3, 9, 9],
            "mean_confidence": [confidence - 0.1, confidence + 0.1, 0.1, 0.3],
        }
        tables.write(folder / "occlusion/summary.csv", pd.DataFrame(summary))
        folders.append(folder)
    table = seed_comparison.probed(folders, PAGE_SOURCES)
    assert list(table.columns) == [
        "network", "accuracy", "accuracy_without_filters", "confidence_3", "confidence_9",
    ]  # fmt: skip
    rows = {network: values for network, *values in table.itertuples(index=False)}
    assert rows["a-seed-0, epoch-13"] == pytest.approx([0.8, 0.7, 0.5, 0.2])
    assert rows["a-seed-1, epoch-13"] == pytest.approx([0.82, 0.66, 0.7, 0.2])
    assert rows["mean"] == pytest.approx([0.81, 0.68, 0.6, 0.2])
    # Of two values: their difference by the root of two.
    assert rows["standard deviation"] == pytest.approx([0.014142, 0.028284, 0.141421, 0], abs=1e-6)


def test_without_filters_the_accuracy_is_that_of_the_selected_epoch(tmp_path):
    folder = tmp_path / "a-seed-0/epoch-02"
    (folder / "occlusion").mkdir(parents=True)
    files.write_json(folder.parent / "selection.json", {"test_accuracy": 0.5})
    summary = {"window": [3, 3], "mean_confidence": [0.1, 0.3]}
    tables.write(folder / "occlusion/summary.csv", pd.DataFrame(summary))
    table = seed_comparison.probed([folder], PAGE_SOURCES, has_filters=False)
    assert list(table.columns) == ["network", "accuracy", "confidence_3"]
    assert table.iloc[0].tolist() == ["a-seed-0, epoch-02", 0.5, pytest.approx(0.2)]

"""The notebook runs on the results of the demo, in a folder that it may be opened in."""

import io
import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import run_notebook as notebooks
from PIL import Image

REPOSITORY = Path(__file__).parents[2]
NOTEBOOK = REPOSITORY / "docs/inspect.ipynb"
RUN = REPOSITORY / "tests/run_notebook.py"
LARGEST = 100_000  # bytes, with the pictures as text


def test_the_notebook_in_the_repository_holds_small_pictures_only():
    assert NOTEBOOK.stat().st_size <= LARGEST
    for cell in notebooks.code_cells(notebooks.read(NOTEBOOK)):
        assert cell["execution_count"] is None
        assert all(list(output["data"]) == ["image/png"] for output in cell["outputs"])


def test_every_picture_has_its_words_below():
    cells = notebooks.read(NOTEBOOK)["cells"]
    for cell, below in itertools.pairwise(cells):
        if cell.get("outputs"):
            assert below["cell_type"] == "markdown"
            assert "".join(below["source"]).startswith("*")


@pytest.mark.slow
def test_all_cells_run_in_order_and_draw_the_pictures(demo, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "results").symlink_to(demo.folder / "results")
    shutil.copy2(NOTEBOOK, tmp_path / "docs")
    ran = subprocess.run(
        [sys.executable, "-W", "error", RUN, "inspect.ipynb"],
        cwd=tmp_path / "docs",
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    drawn = notebooks.pictures(notebooks.read(tmp_path / "docs/inspect.ipynb"))
    kept = notebooks.pictures(notebooks.read(NOTEBOOK))
    assert len(drawn) == len(kept) == 4
    for new, old in zip(drawn, kept, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(new)).convert("RGB"))
        assert pixels.std() > 10, "the picture is empty"
        assert pixels.shape[:2] == Image.open(io.BytesIO(old)).size[::-1]

"""Runs docs/inspect.ipynb, and keeps the pictures that it draws.

`cd docs && python ../tests/run_notebook.py inspect.ipynb` writes them into the notebook; it needs
the results of the demo. The cells are plain Python, so they run here as a kernel runs them: in
order, in a process of their own; what a cell's last line gives is rendered, every figure is drawn.
"""

import ast
import base64
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

Cell = dict[str, Any]


def read(path: Path | str) -> dict[str, Any]:
    """The notebook as JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def pictures(notebook: dict[str, Any]) -> list[bytes]:
    """The pictures in a notebook, as PNG."""
    found = []
    for cell in code_cells(notebook):
        found += [base64.b64decode(output["data"]["image/png"]) for output in cell["outputs"]]
    return found


def run(notebook: dict[str, Any]) -> None:
    """Run all cells; the pictures become their outputs, in place of earlier ones."""
    names = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells(notebook), start=1):
        last = _run_cell("".join(cell["source"]), f"cell {number}", names)
        if last is not None:
            getattr(last, "_repr_html_", last.__repr__)()
        cell["outputs"] = [_output(picture) for picture in _drawn()]


def _run_cell(source: str, name: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, or None."""
    body = ast.parse(source, name).body
    last = None
    if isinstance(body[-1], ast.Expr):
        last = ast.Expression(body.pop().value)
    exec(compile(ast.Module(body, []), name, "exec"), names)
    return eval(compile(last, name, "eval"), names) if last else None


def _drawn() -> Iterator[bytes]:
    for number in plt.get_fignums():
        picture = io.BytesIO()
        plt.figure(number).savefig(picture, pil_kwargs={"optimize": True})
        yield picture.getvalue()
    plt.close("all")


def _output(picture: bytes) -> Cell:
    text = base64.b64encode(picture).decode()
    return {"output_type": "display_data", "data": {"image/png": text}, "metadata": {}}


def write(path: Path | str, notebook: dict[str, Any]) -> None:
    """Write a notebook as Jupyter does."""
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    opened = read(sys.argv[1])
    run(opened)
    write(sys.argv[1], opened)

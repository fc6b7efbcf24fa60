"""Whatever is written: where no space is left, the old file stays."""

import subprocess
import sys
from pathlib import Path

import pytest

from convprobe.store import files

SCRIPTS = Path(files.__file__).parents[2]

WRITERS = {
    "json": "files.write_json(path, list(range(10**5)))",
    "pth": "checkpoints.save_tensors(path, {'weights': torch.zeros(10**5)})",
    "h5": "with hdf5.create(path) as file: file['maps'] = np.zeros(10**5)",
    "chunks.h5": "with hdf5.create(path) as file:"
    " file.create_dataset('maps', data=noise, chunks=(99,), compression=4)",
}
NO_SPACE = """
import resource, sys
from pathlib import Path
import numpy as np, torch
from convprobe.network import checkpoints; from convprobe.store import files, hdf5
from convprobe.errors import InputError

noise = np.random.default_rng(0).random(10**5)
for limit in (3, 100, 4096, 20_000, 100_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for path, write in WRITERS:
        try:
            exec(write)
        except InputError as error:
            print(error)
"""


@pytest.mark.slow
def test_where_no_space_is_left_the_old_file_stays_and_one_line_tells_it(tmp_path):
    """The limit of the system on the size of a file, at several sizes, stands for a full disk."""
    paths = {kind: tmp_path / f"a.{kind}" for kind in WRITERS}
    for path in paths.values():
        path.write_text("old")
    script = (
        f"WRITERS = {[(str(paths[kind]), write) for kind, write in WRITERS.items()]}\n{NO_SPACE}"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=SCRIPTS, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert (
        run.stdout.splitlines()
        == [f"{path}: can't be written: File too large" for path in paths.values()] * 5
    )
    assert {path.read_text() for path in paths.values()} == {"old"}
    assert sorted(tmp_path.iterdir()) == sorted(paths.values())

"""The library in a notebook: installed by pip where nothing of the workflow is."""

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

from convprobe.job import machine

# Ten lines that someone else writes.
NOTEBOOK = """
import numpy as np
import torch
from convprobe.occlusion import sweep

network = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 6 * 10, 2)
).eval()
images = np.random.default_rng(0).integers(0, 256, (2, 8, 12, 3), dtype=np.uint8)
maps, clean = sweep(network, images, window=3)
print(maps.shape, clean.shape)
"""
# The same by covering each pixel's surroundings and asking the network, one image at a time.
BY_HAND = """
for image, y, x in np.ndindex(2, 8, 12):
    covered = images[image].copy()
    covered[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = 128
    pixels = torch.from_numpy(covered).permute(2, 0, 1)[None] / 255
    expected = network(pixels).softmax(1)[0].detach()
    np.testing.assert_allclose(maps[image, y, x], expected, atol=1e-6)
"""


@pytest.fixture(scope="module")
def python(make_workflow, tmp_path_factory):
    """An interpreter of an empty environment in which the library is installed.

    PyTorch and what builds the package are taken from the environment of the tests.
    """
    environment = tmp_path_factory.mktemp("notebook")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    interpreter = environment / "bin/python"
    places = {"base": environment, "platbase": environment}
    packages = sysconfig.get_path("purelib", vars=places)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    with open(f"{packages}/of-the-tests.pth", "w", encoding="utf-8") as file:
        file.write("\n".join(ours))
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    checkout = make_workflow().folder
    install = [interpreter, "-m", "pip", "--disable-pip-version-check", "install", *offline, "."]
    subprocess.run(install, check=True, cwd=checkout)
    return interpreter


def run(python, program, folder, **environment):
    return subprocess.run(
        [python, "-W", "error", "-c", program], cwd=folder, check=True, text=True,
        capture_output=True, env={"OMP_NUM_THREADS": "1", **environment},
    ).stdout  # fmt: skip


def test_any_network_is_swept_in_ten_lines(python, tmp_path):
    assert len(NOTEBOOK.strip().splitlines()) == 10
    *_, shapes = run(python, NOTEBOOK + BY_HAND, tmp_path).splitlines()
    assert shapes == "(2, 8, 12, 2) (2, 2)"


def test_a_package_loads_pytorch_only_when_it_is_asked(python, tmp_path):
    loaded = (
        "import sys\nfrom convprobe.occlusion import outputs, sheets\nprint('torch' in sys.modules)"
    )
    assert run(python, loaded, tmp_path) == "False\n"


def test_a_name_that_a_package_does_not_have_is_refused_as_ever(python, tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run(python, "from convprobe.occlusion import swep", tmp_path)
    assert (
        "ImportError: cannot import name 'swep' from 'convprobe.occlusion'" in refused.value.stderr
    )


def test_the_installed_library_knows_its_version(python, tmp_path):
    program = "from convprobe.job import versions\nimport importlib.metadata as installed\n"
    program += "print(versions.own() == installed.version('convprobe') != '')"
    assert run(python, program, tmp_path) == "True\n"


# A network of layers in a list, which is computed by compiled code where there is a compiler.
PLAIN = """
import numpy as np
import torch
from convprobe.network.layers import Network
from convprobe.occlusion import sparse, sweep

torch.manual_seed(0)
layers = {"conv": [{"channels": 64, "kernel": 5}, {"channels": 128, "kernel": 3}], "fc": []}
network = Network(layers, classes=2, image_size=(32, 32)).eval()
images = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
maps, clean = sweep(network, images, window=3)
images[0, 9:12, 9:12] = 128
_, covered = sweep(network, images, window=3)
np.testing.assert_allclose(maps[0, 10, 10], covered[0], atol=2e-6)
print(sparse.SOURCE.is_file(), [path.name[:7] for path in sparse.compiler._folder().iterdir()])
"""


@pytest.mark.parametrize("compiler", ["", "no-such-compiler"])
def test_a_plain_network_is_swept_with_a_compiler_and_without(python, tmp_path, compiler):
    environment = {"XDG_CACHE_HOME": str(tmp_path), "CXX": compiler, "PATH": os.environ["PATH"]}
    *said, found = run(python, PLAIN, tmp_path, **environment).splitlines()
    is_compiled = machine.has({"avx2", "fma"}) and shutil.which("c++") and not compiler
    assert found == f"True {['sparse-'] if is_compiled else []}"
    assert any("occlusion without sparse.cpp" in line for line in said) == (not is_compiled)

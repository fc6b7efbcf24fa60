"""A layer by compiled code against one that is computed position by position."""

import numpy as np
import pytest
import torch

from convprobe.job import machine
from convprobe.network.arithmetic import POOL
from convprobe.occlusion import sparse
from convprobe.occlusion.later_layers import Activations
from convprobe.occlusion.sparse import SparseLayer
from convprobe.occlusion.states import Positions, UnitStates
from convprobe.occlusion.tiles import TiledLayer

SIDE, WINDOW = 13, 3
READ = UnitStates.of_pixels(SIDE, [WINDOW]).convolved(3).pooled()  # 5×5 units, pooled to 2×2


NEEDED = {(): sparse.INSTRUCTIONS, sparse.OF_BF16: machine.AVX512_BF16, sparse.OF_AMX: machine.AMX}


@pytest.fixture(params=NEEDED, ids=["float32", "bfloat16", "AMX"])
def code(request):
    """The compiled code for each kind of numbers."""
    if not machine.has(NEEDED[request.param]):
        pytest.skip(f"needs a processor with {', '.join(NEEDED[request.param])}")
    return sparse.library(*request.param) or pytest.skip("needs a C++ compiler")


def as_number(code, array):
    """A tensor in float32 of values that the code's numbers hold exactly."""
    return torch.from_numpy(array).to(sparse.NUMBERS[code.number()]).float()


def draw(code, draw, inputs, outputs, kernel, zeros):
    """A layer's weight and bias, and what it reads: changes of which some share is zero."""
    clean = draw.normal(size=(inputs, READ.units, READ.units))
    changes = {}
    for unit in READ.all_units():
        change = draw.normal(size=(READ.count(unit), inputs))
        change[draw.random(change.shape) < zeros] = 0
        change[draw.random(len(change)) < zeros] = 0  # whole rows
        changes[unit] = as_number(code, change)
    weight = as_number(code, draw.normal(size=(outputs, inputs, kernel, kernel)))
    bias = torch.from_numpy(draw.normal(size=outputs)).float()
    return weight, bias, Activations(torch.from_numpy(clean).float(), changes)


def at_position(read, row, column):
    """The map that is read, with the window centred there: float64 (channel, y, x)."""
    found = read.clean.double().numpy().copy()
    for unit, change in read.changes.items():
        state = int(READ.at(unit, Positions(*np.array([[0], [row], [column]])))[0])
        if state:
            found[:, *unit] += change[state - 1].double().numpy()
    return found


def convolved(weight, bias, values):
    """A convolution, unit by unit, in float64."""
    outputs, _, kernel, _ = weight.shape
    units = values.shape[-1] - kernel + 1
    found = np.empty((outputs, units, units))
    for y, x in np.ndindex(units, units):
        seen = values[:, y : y + kernel, x : x + kernel]
        found[:, y, x] = np.einsum("oiyx,iyx->o", weight.double().numpy(), seen)
    return found + bias.double().numpy()[:, None, None]


def pooled(values):
    units = values.shape[-1] // POOL
    kept = values[:, : POOL * units, : POOL * units]
    return np.maximum(kept.reshape(-1, units, POOL, units, POOL).max((2, 4)), 0)


@pytest.mark.slow
# Outputs below, at and above a panel of 24 or 64; inputs that fill no vector.
@pytest.mark.parametrize(
    ("inputs", "outputs"), [(1, 1), (3, 23), (24, 24), (7, 25), (40, 49), (5, 64), (65, 130)]
)
@pytest.mark.parametrize("zeros", [0, 0.6, 1])
def test_every_state_is_that_of_a_position(code, inputs, outputs, zeros):
    weight, bias, read = draw(code, np.random.default_rng(outputs), inputs, outputs, 3, zeros)
    found = SparseLayer(weight, bias, READ, code)(read)
    clean = pooled(convolved(weight, bias, read.clean.double().numpy()))
    np.testing.assert_allclose(found.clean, clean, atol=1e-4)
    layer = SparseLayer(weight, bias, READ, code)
    for row, column in np.ndindex(SIDE, SIDE):
        expected = pooled(convolved(weight, bias, at_position(read, row, column))) - clean
        for unit in layer.pooled.all_units():
            state = int(layer.pooled.at(unit, Positions(*np.array([[0], [row], [column]])))[0])
            change = found.changes[unit][state - 1].numpy() if state else np.zeros(outputs)
            np.testing.assert_allclose(change, expected[:, *unit], atol=2e-4)


@pytest.mark.parametrize("kernel", [1, 2, 5])
def test_a_layer_of_one_unit_gives_its_sums(code, kernel):
    read_by_one = UnitStates.of_pixels(SIDE, [WINDOW]).convolved(SIDE - 2 * kernel + 1).pooled()
    assert read_by_one.units == kernel
    draw = np.random.default_rng(kernel)
    weight = as_number(code, draw.normal(size=(30, 6, kernel, kernel)))
    bias = torch.from_numpy(draw.normal(size=30)).float()
    counts = {unit: read_by_one.count(unit) for unit in read_by_one.all_units()}
    changes = {
        unit: as_number(code, draw.normal(size=(count, 6)).clip(0))
        for unit, count in counts.items()
    }
    read = Activations(torch.randn(6, kernel, kernel), changes)
    found = SparseLayer(weight, bias, read_by_one, code).preactivations(read)
    tiled = TiledLayer(weight, bias, read_by_one, torch.float32).preactivations(read)
    np.testing.assert_allclose(found, tiled, atol=1e-4)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_it_gives_what_products_of_matrices_give(code, kernel):
    weight, bias, read = draw(code, np.random.default_rng(kernel), 50, 70, kernel, 0.7)
    found = SparseLayer(weight, bias, READ, code)(read)
    tiled = TiledLayer(weight, bias, READ, torch.float32)(read)
    assert found.changes.keys() == tiled.changes.keys()
    assert found.clean.equal(tiled.clean)
    for unit, change in tiled.changes.items():
        np.testing.assert_allclose(found.changes[unit], change, atol=1e-4)


@pytest.mark.parametrize("window", [1, 9])  # of few and of many states
@pytest.mark.parametrize("inputs", [31, 32, 64, 97])
def test_rows_and_inputs_that_fill_no_tile(code, inputs, window):
    read_by = UnitStates.of_pixels(SIDE, [window]).convolved(3).pooled()
    draw = np.random.default_rng(inputs)
    weight = as_number(code, draw.normal(size=(33, inputs, 3, 3)))
    changes = {
        unit: as_number(code, draw.normal(size=(read_by.count(unit), inputs)).clip(0))
        for unit in read_by.all_units()
    }
    read = Activations(torch.randn(inputs, read_by.units, read_by.units), changes)
    found = SparseLayer(weight, torch.zeros(33), read_by, code)(read)
    tiled = TiledLayer(weight, torch.zeros(33), read_by, torch.float32)(read)
    for unit, change in tiled.changes.items():
        np.testing.assert_allclose(found.changes[unit], change, atol=2e-4)


@pytest.mark.parametrize("threads", [2, 3, 100])
def test_threads_that_share_an_image_do_not_change_a_byte(code, threads):
    weight, bias, read = draw(code, np.random.default_rng(0), 9, 200, 3, 0.5)
    before = torch.get_num_threads()
    layer = SparseLayer(weight, bias, READ, code)
    try:
        torch.set_num_threads(1)
        one = layer(read).changes
        torch.set_num_threads(threads)
        found = layer(read).changes
    finally:
        torch.set_num_threads(before)
    assert one.keys() == found.keys()
    assert all(change.equal(one[unit]) for unit, change in found.items())


def test_where_nothing_changes_the_result_does_not_either(code):
    weight, bias, read = draw(code, np.random.default_rng(0), 9, 30, 3, 1)
    for change in SparseLayer(weight, bias, READ, code)(read).changes.values():
        assert change.count_nonzero() == 0


@pytest.mark.parametrize("place", ["weight", "bias", "change"])
def test_what_is_not_a_number_is_not_hidden(code, place):
    weight, bias, read = draw(code, np.random.default_rng(0), 9, 30, 3, 0)
    array = {"weight": weight, "bias": bias, "change": read.changes[0, 0]}[place]
    array[0] = torch.nan
    found = SparseLayer(weight, bias, READ, code)(read)
    tiled = TiledLayer(weight, bias, READ, torch.float32)(read)
    is_nan = {unit: change.isnan() for unit, change in tiled.changes.items()}
    assert any(missing.any() for missing in is_nan.values())
    for unit, missing in is_nan.items():
        assert found.changes[unit].isnan().equal(missing)


@pytest.fixture
def fresh():
    """As in a process that hasn't looked for the code yet."""
    sparse.library.cache_clear()
    yield
    sparse.library.cache_clear()


def test_without_a_compiler_the_log_says_so_in_one_line(fresh, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    if not machine.has(sparse.INSTRUCTIONS):
        pytest.skip("needs AVX2")
    assert sparse.library() is None
    assert sparse.library() is None
    said = "occlusion without sparse.cpp, which is faster: there is no C++ compiler: expected one "
    assert capfd.readouterr().out == f"{said}of c++, g++, clang++\n"


def test_on_an_older_processor_it_is_not_compiled(fresh, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cpuinfo").write_text("flags\t\t: fpu sse4_2 avx\n")
    monkeypatch.setattr(machine, "CPU_INFO", str(tmp_path / "cpuinfo"))
    assert sparse.library() is None
    assert "the processor isn't known to have AVX2" in capfd.readouterr().out
    assert not (tmp_path / "cache").exists()


def test_where_the_system_refuses_amx_float32_takes_its_place(fresh, monkeypatch, tmp_path, capfd):
    if not machine.has(machine.AMX):
        pytest.skip("needs a processor with AMX")
    code = sparse.SOURCE.read_text(encoding="utf-8")
    assert code.count("REQUEST = 0x1023") == 1
    unknown = tmp_path / sparse.SOURCE.name
    unknown.write_text(code.replace("REQUEST = 0x1023", "REQUEST = 0x1"), encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sparse, "SOURCE", unknown)
    found = sparse.fastest("bf16") or pytest.skip("needs a C++ compiler")
    assert sparse.NUMBERS[found.number()] == torch.float32
    assert "the system doesn't let it use AMX" in capfd.readouterr().out


def test_a_library_that_lacks_a_function_is_not_used(fresh, monkeypatch, tmp_path, capfd, code):
    (tmp_path / "other.cpp").write_text('extern "C" int other() { return 1; }')
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sparse, "SOURCE", tmp_path / "other.cpp")
    sparse.library.cache_clear()
    assert sparse.library() is None
    assert "undefined symbol: number" in capfd.readouterr().out

"""The incremental engine against a forward pass at every position."""

import numpy as np
import pytest
import torch

from convprobe.job import machine
from convprobe.network.layers import Network
from convprobe.occlusion import sparse, windows
from convprobe.occlusion.incremental import Incremental
from convprobe.occlusion.states import UnitStates
from convprobe.occlusion.tiles import Sums


@pytest.fixture(params=["compiled code", "products of matrices"])
def way(request, monkeypatch):
    """How the layers behind the first one are computed."""
    if request.param == "products of matrices":
        monkeypatch.setattr(sparse, "library", lambda *options: None)
    elif not sparse.library():
        pytest.skip("needs a C++ compiler and AVX2")


@pytest.fixture
def loaded_anew():
    """Compiled code is looked for by each test, and not remembered from one to the next."""
    sparse.library.cache_clear()
    yield
    sparse.library.cache_clear()


def draw_network(draw):
    """A random network that the config can describe, and the side of its images."""
    while True:
        depth = draw.integers(1, 5)
        # Some are wide enough for the engine to leave channels out.
        channels = draw.choice([draw.integers(1, 10, depth), draw.integers(40, 80, depth)])
        conv = [{"channels": int(width), "kernel": int(draw.integers(1, 6))} for width in channels]
        side = left = int(draw.integers(8, 24))
        for layer in conv:
            left = (left - layer["kernel"] + 1) // 2
        if left >= 1:
            break
    settings = {"conv": conv, "fc": draw.integers(1, 9, draw.integers(0, 3)).tolist()}
    normalisation = {
        "mean": draw.uniform(0.3, 0.6, 3).tolist(),
        "std": draw.uniform(0.2, 0.3, 3).tolist(),
    }
    torch.manual_seed(int(draw.integers(2**31)))
    network = Network(
        settings, classes=4, image_size=(side, side), normalisation=normalisation
    ).eval()
    for name, weight in network.named_parameters():  # as in a trained network, much is switched off
        weight.data = weight.data * 3 if name.endswith("weight") else weight.data - 0.2
    return network, side


def plain(network, images, window, fill):
    """A forward pass of each image as it is, and at every position."""
    hidden = windows.windows(*images.shape[1:3], window)
    return windows._plain(network, images, hidden, fill, "fp32", windows.runtime.IDLE, batch=64)


def by_engine(network, images, window, fill, precision="fp32"):
    """The same by the engine: float32 (image, 1 + position, class), the image as it is first."""
    engine = Incremental(network, images.shape[1], [window], precision)
    rows = []
    for image in images:
        (maps,), clean = engine(image, fill)
        rows.append(np.concatenate([clean[None], maps.reshape(-1, len(clean))]))
    return np.stack(rows)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_maps_equal_a_forward_pass_at_every_position(seed, way):
    draw = np.random.default_rng(seed)
    network, side = draw_network(draw)
    images = draw.integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    fill = int(draw.integers(256))
    images[1, : side // 2] = fill  # where it is grey already, nothing changes
    window = int(draw.choice(np.arange(1, side + 1, 2)))
    found = by_engine(network, images, window, fill)
    np.testing.assert_allclose(found, plain(network, images, window, fill), atol=1e-5)
    np.testing.assert_allclose(found.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "instructions", ["", "avx2 fma", "avx2 fma avx512_bf16", "avx2 fma avx512_bf16 amx_bf16"]
)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.usefixtures("loaded_anew")
def test_changes_in_bfloat16_are_near(seed, instructions, monkeypatch):
    """However they are computed, on this processor or as on one that has less."""
    has = machine.has
    found = set(instructions.split())
    monkeypatch.setattr(machine, "has", lambda asked: asked <= found and has(asked))
    draw = np.random.default_rng(seed)
    network, side = draw_network(draw)
    images = draw.integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    found = by_engine(network, images, 3, 128, "bf16")
    expected = plain(network, images, 3, 128)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=0.02)
    assert abs(found - expected).max() > 1e-5, "rounded"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_where_the_window_changes_nothing_there_is_exactly_the_clean_probability(precision, way):
    network, side = draw_network(np.random.default_rng(3))
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    images[0, :7] = images[1] = 128
    engine = Incremental(network, side, [5], precision)
    ((maps,), clean), ((grey,), all_grey) = (engine(image, 128) for image in images)
    assert (maps[:5] == clean).all(), "the window lies within rows 0 to 6"
    assert not (maps[8] == clean).all()
    assert (grey == all_grey).all()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("seed", range(5))
def test_windows_together_have_the_maps_that_each_has_alone(seed, precision, way):
    draw = np.random.default_rng(seed)
    network, side = draw_network(draw)
    image = draw.integers(0, 256, (side, side, 3), dtype=np.uint8)
    image[: side // 3] = 128
    sides = [7, 1, 3]  # in any order
    together, clean = Incremental(network, side, sides, precision)(image, 128)
    for window, maps in zip(sides, together, strict=True):
        (alone,), clean_alone = Incremental(network, side, [window], precision)(image, 128)
        atol = 1e-6 if precision == "fp32" else 0.01
        np.testing.assert_allclose(maps, alone, atol=atol)
        np.testing.assert_allclose(clean, clean_alone, atol=1e-6)
        unchanged = max(side // 3 - window // 2, 0)  # rows in which all that is hidden is grey
        assert (maps[:unchanged] == clean).all()


def test_the_example_in_the_docstring_takes_as_many_products_as_it_says():
    first = UnitStates.of_pixels(side=8, windows=[3]).convolved(1).pooled()
    sums = Sums.of((0, 0), 2, first, first.convolved(2))
    assert sums.products == 5**2
    stops = [*sums.offsets.tolist()[1:], len(sums.indices)]
    added = np.diff(stops)  # products of each state but the clean one
    along_an_axis = [1, 2, 2, 1, 1]
    assert added.tolist() == np.outer(along_an_axis, along_an_axis).ravel().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_a_byte(threads, count, way):
    network, side = draw_network(np.random.default_rng(5))
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    engine = Incremental(network, side, [3])
    one = windows._by_engine(engine, images, 128, side**2, windows.runtime.IDLE)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        found = windows._by_engine(engine, images, 128, side**2, windows.runtime.IDLE)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert [part.tobytes() for part in found] == [part.tobytes() for part in one]


def test_where_an_image_holds_much_threads_share_its_work(monkeypatch):
    settings = {"conv": [{"channels": n, "kernel": 3} for n in (4, 9, 5)], "fc": []}
    normalisation = {"mean": [0.0] * 3, "std": [1.0] * 3}
    network = Network(settings, 4, (30, 30), normalisation).eval()
    images = np.random.default_rng(0).integers(0, 256, (5, 30, 30, 3), dtype=np.uint8)
    engine = Incremental(network, 30, [3, 5])
    read, held = engine.first(torch.rand(3, 30, 30), torch.rand(3)), []
    for layer in engine.layers:
        made = layer(read)
        held.append(sum(one.numel() for maps in (read, made) for one in maps.changes.values()))
        read = made
    assert engine.numbers_held == max(held) > held[-1]

    alone = windows._by_engine(engine, images, 128, 2 * 30**2, windows.runtime.IDLE)
    at_a_time = []
    share = windows.threads.shared_by
    monkeypatch.setattr(
        windows.threads, "shared_by", lambda count: (at_a_time.append(count), share(count))[1]
    )
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    for room in (0, 1, 2, 9):
        monkeypatch.setattr(windows, "LARGEST_HELD", room * engine.numbers_held)
        found = windows._by_engine(engine, images, 128, 2 * 30**2, windows.runtime.IDLE)
        assert [part.tobytes() for part in found] == [part.tobytes() for part in alone]
    assert at_a_time == [1, 1, 2, 4]


@pytest.mark.parametrize("seed", range(5))
def test_both_ways_give_the_same_probabilities(seed, monkeypatch):
    draw = np.random.default_rng(seed)
    network, side = draw_network(draw)
    images = draw.integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    compiled = by_engine(network, images, 5, 128)
    monkeypatch.setattr(sparse, "library", lambda *options: None)
    np.testing.assert_allclose(by_engine(network, images, 5, 128), compiled, atol=2e-6)


def test_the_cheaper_way_is_taken(monkeypatch):
    monkeypatch.setattr(sparse, "fastest", lambda precision: None)
    for channels, expected in ((2, False), (64, True)):
        conv = [{"channels": channels, "kernel": 5}, {"channels": 2 * channels, "kernel": 3}]
        network = Network({"conv": conv, "fc": []}, classes=10, image_size=(32, 32))
        found = windows._way(network, (32, 32), 5, 1, "bf16")
        assert (found == "states") is expected


def test_small_networks_are_computed_so_by_compiled_code_alone(way):
    conv = [{"channels": 16, "kernel": 5}, {"channels": 32, "kernel": 3}]
    network = Network({"conv": conv, "fc": []}, classes=10, image_size=(32, 32))
    expected = "states" if sparse.library() else "passes"
    for precision in ("fp32", "bf16"):
        assert windows._way(network, (32, 32), 5, 1, precision) == expected

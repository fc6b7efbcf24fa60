"""Every question checks its results."""

from pathlib import Path

from convprobe.report import outputs, verification

LIBRARY = Path(verification.__file__).parents[1]


def wings(modules):
    return [module.__name__.split(".")[1] for module in modules]


def test_every_folder_with_declared_files_is_put_together_with_the_others():
    declaring = {path.parent.name for path in LIBRARY.glob("*/outputs.py")} - {"store"}
    assert declaring == {"dataset", "training", "report", *wings(outputs.PROBES)}


def test_every_probe_checks_its_files():
    assert wings(verification.CHECKS.values()) == wings(outputs.PROBES)
    assert all(callable(probe.check) for probe in verification.CHECKS.values())

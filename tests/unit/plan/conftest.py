"""What several tests of this folder need."""

import subprocess

import preloaded
import pytest


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """Run in a folder without a data set."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def preloaded_tracer(monkeypatch):
    """The process that traces a network begins with PyTorch imported."""
    monkeypatch.setattr(subprocess, "run", preloaded.running_modules_by())

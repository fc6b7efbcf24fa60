"""What several tests of this folder need."""

import pytest


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """Run in a folder without a data set."""
    monkeypatch.chdir(tmp_path)

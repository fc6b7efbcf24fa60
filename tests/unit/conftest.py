"""Unit tests compute small things, and check every call by the types and shapes in signatures."""

import gc

import pytest
import torch
from jaxtyping import install_import_hook

# What is imported from here on stays. To look through it again and again took an eighth of the
# time of the tests.
gc.disable()

# Before a test imports anything of the library: every function is then checked at each call.
install_import_hook("convprobe", "typechecker.check")

from convprobe.errors import InputError  # noqa: E402 - checked as well


def pytest_collection_finish():
    """Once everything is imported, collect garbage as always, but not among that."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish():
    """Else libraries complain at the end that they leak."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Two threads would only wait for each other."""
    torch.set_num_threads(1)


@pytest.fixture
def refusal():
    """A function: the one line, without the path, with which a function refuses a file."""

    def refuse(path, read):
        with pytest.raises(InputError) as refused:
            read(path)
        message = str(refused.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        return message.removeprefix(f"{path}: ")

    return refuse

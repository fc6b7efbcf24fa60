"""Networks that a factory makes: a function of a module, or of a Python file of one's own."""

import contextlib
import difflib
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from convprobe.errors import InputError, short_reason
from convprobe.network import graphs, random_state


def build(network: Mapping[str, Any], seed: int = 0) -> nn.Module:
    """The module that a factory makes, with initial weights drawn from the seed.

    Args:
        network: the config's `network`: `factory`, as in `torchvision.models:resnet18` or
            `mynet.py:build`, and its `arguments`.

    Raises:
        InputError: the factory can't be imported, fails, or makes something else.
    """
    source, _, name = network["factory"].rpartition(":")
    key = f"network.factory: {network['factory']}"
    try:
        with random_state.seeded(seed):
            factory = _named(name, _imported(source))
            made = factory(**network.get("arguments", {}))
    except (Exception, SystemExit) as error:  # code of someone else's may raise anything
        raise InputError(f"{key} fails with {_reason(error)}") from error
    if not isinstance(made, nn.Module):
        raise InputError(f"{key} makes a {type(made).__name__}, expected a torch.nn.Module")
    return made


def _named(name: str, module: ModuleType) -> Any:
    with contextlib.suppress(AttributeError):
        return getattr(module, name)
    close = difflib.get_close_matches(name, vars(module), n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    raise LookupError(f"there is no {name}{meant}")


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {short_reason(error)}"


def _imported(source: str) -> ModuleType:
    if not graphs.is_path(source):
        return importlib.import_module(source)
    path = Path(source).resolve()
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)  # it may import its neighbours
    for name in (path.stem, str(path)):
        if name not in sys.modules:
            return _executed(path, name)
        if getattr(sys.modules[name], "__file__", "") == str(path):
            return sys.modules[name]
    raise ImportError(f"{path} is imported as something else")


def _executed(path: Path, name: str) -> ModuleType:
    """The module of a file, which others may import by the name."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # the half of it that was executed
        raise
    return module

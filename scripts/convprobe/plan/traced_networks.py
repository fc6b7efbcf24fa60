"""A network that a factory makes, for a plan: where its code lies, its digests, and its graph.

The factory is imported in processes of their own alone: the one that describes the network, once,
and the jobs that train it.
"""

import ast
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from convprobe.dataset.kinds import is_file
from convprobe.errors import InputError, short_reason
from convprobe.network import graphs
from convprobe.plan import contents, fingerprint
from convprobe.store import files

FOLDER = ".snakemake/convprobe"
SCRIPTS = Path(__file__).parents[2]
DESCRIBING = "convprobe.network.description"  # the module that traces
INSTALLED = ("site-packages", "dist-packages")  # folders of what has a version
TRACERS = ("torch", "torchvision")  # whose versions may change a graph
DIGITS = 16  # of a digest, hexadecimal


def located(factory: str, folder: Path | str = ".") -> str:
    """A factory as it is found from the working folder.

    Args:
        factory: as in the config.
        folder: of the config file that names it; a file is looked for there first.

    Raises:
        InputError: there is no such file or package.
    """
    source, _, name = factory.rpartition(":")
    if not graphs.is_path(source):
        _spec(factory)
        return factory
    for path in (Path(folder, source), Path(source)):
        if is_file(path):
            return f"{Path(os.path.relpath(path)).as_posix()}:{name}"
    raise InputError(
        f"is {factory}: no file {source} is there, expected it beside the config file or in the "
        "working folder"
    )


def code(factory: str) -> dict[str, str]:
    """What changes with the code of a factory.

    Args:
        factory: as `located` gives it.

    Returns:
        digests of local files, by their names, and versions of installed packages. PyTorch's own
        isn't one of them, as of no other code.

    Raises:
        InputError: a file isn't Python, or a package is gone.
    """
    source, _, _ = factory.rpartition(":")
    if graphs.is_path(source):
        path = Path(source).resolve()
        return _local_code(factory, path.parent, [path])
    spec = _spec(factory)
    if _is_installed(spec):
        return _versions([source])
    root = Path(spec.origin).resolve().parent
    if spec.submodule_search_locations:
        root = root.parent
    return _local_code(factory, root, fingerprint.files_of_module(source, root))


def _spec(factory: str) -> Any:
    """Where the package of a factory lies; it isn't imported."""
    package, _, _ = factory.partition(":")[0].partition(".")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise InputError(
            f"is {factory}, but no package {package} is installed: expected one that is, or a file "
            "as in mynet.py:build"
        )
    return spec


def _is_installed(spec: Any) -> bool:
    return any(part in INSTALLED for part in Path(spec.origin).parts)


def _local_code(factory: str, root: Path, start: list[Path]) -> dict[str, str]:
    try:
        digests = fingerprint.of_files(start, root)
        modules = [root / file for file in digests if not file.endswith(fingerprint.COMPILED)]
        imported = [name for module in modules for name in _imported(module)]
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        file = os.path.relpath(error.filename)
        message = f"is {factory}, but {file} is not Python: {line}{error.msg}"
        raise InputError(message) from error
    except RecursionError as error:
        raise InputError(f"is {factory}, whose code is nested too deeply to be read") from error
    except (OSError, ValueError) as error:
        raise InputError(f"is {factory}, which can't be read: {short_reason(error)}") from error
    return digests | _versions(imported)


def _imported(file: Path) -> Iterator[str]:
    """Yield the names of the modules that a file imports."""
    for node in ast.walk(fingerprint.tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _versions(modules: list[str]) -> dict[str, str]:
    """The versions of installed packages, by the names of modules in them; without PyTorch's."""
    packages = {name.partition(".")[0] for name in modules}
    packages -= {"torch"} | sys.stdlib_module_names
    versions = {}
    for package in sorted(packages):
        version = _version(package)
        if version:
            versions[package] = version
    return versions


def _version(package: str) -> str | None:
    names = [package]
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        names = metadata.packages_distributions().get(package, [])
    return metadata.version(names[0]) if names else None


def describe(
    network: Mapping[str, Any], image_size: tuple[int, int], folder: Path | str = FOLDER
) -> str:
    """Path of the file of a network's graph, which is made if this network wasn't seen before.

    Args:
        network: `factory`, as `located` gives it, and `arguments`.
        image_size: height and width in pixels.
        folder: where graphs are kept, named by their content.

    Raises:
        InputError: the factory fails, or what it makes can't be traced; the message names the key.
    """
    factory = network["factory"]
    try:
        used = code(factory)
    except InputError as error:
        raise InputError(f"network.factory {error}") from error
    ours = fingerprint.of_files(fingerprint.files_of_module(DESCRIBING, SCRIPTS), SCRIPTS)
    signature = [used, ours, [_version(package) for package in TRACERS], sys.version]
    key = json.dumps([factory, network["arguments"], image_size])
    memory = Path(folder, "networks.json")

    def trace() -> str:
        print(f"convprobe: {factory} is traced, once …", file=sys.stderr, flush=True)
        text = _traced(network, image_size)
        digest = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
        path = Path(folder, "networks", f"{digest}.json")
        with files.replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
        return path.as_posix()

    return contents.remembered(memory, key, signature, trace, lambda path: Path(path).is_file())


def _traced(network: Mapping[str, Any], image_size: tuple[int, int]) -> str:
    """The graph's text, from a process that imports PyTorch and the factory."""
    asked = json.dumps({"network": network, "image_size": image_size})
    known = [str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    with tempfile.TemporaryDirectory() as beside:
        path = Path(beside, "described.json")
        ended = subprocess.run(
            # -P: a file of the working folder must not take the place of a library's.
            [sys.executable, "-P", "-m", DESCRIBING, str(path)],
            input=asked, capture_output=True, text=True, errors="replace", check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(known)},
        )  # fmt: skip
        if path.is_file():
            described = json.loads(path.read_text(encoding="utf-8"))
            if "graph" in described:
                return described["graph"]
            raise InputError(described["mistake"])
    said = [line for line in ended.stderr.splitlines() if line.strip()]
    reason = f": {said[-1].strip()}" if said else ""
    raise InputError(
        f"network.factory: {network['factory']} ends its process with {ended.returncode}{reason}"
    )

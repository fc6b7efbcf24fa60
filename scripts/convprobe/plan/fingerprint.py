"""A digest of code by its meaning: the syntax trees of a script and of what it imports.

Snakemake reruns a job when its script's date changes and doesn't see the modules that it imports.
This sees just what can change a result: not dates, comments, docstrings or formatting.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

DIGITS = 16  # of a digest, hexadecimal


def fingerprint(script: Path | str) -> dict[str, str]:
    """Digests of a script and of every local module that it reaches by imports.

    Args:
        script: path of a Python file; modules are looked for from its folder.

    Returns:
        digests by path relative to the script's folder, in sorted order.
    """
    root = Path(script).parent
    digests = {}
    waiting = [Path(script)]
    while waiting:
        file = waiting.pop()
        name = file.relative_to(root).as_posix()
        if name not in digests:
            digests[name], imported = _read(file, root)
            waiting += imported
    return dict(sorted(digests.items()))


@functools.cache
def _read(file: Path, root: Path) -> tuple[str, list[Path]]:
    """Digest of one file, and the local files that it imports."""
    meaning = []
    imports = []
    _collect(ast.parse(file.read_text(encoding="utf-8")), meaning, imports)
    imported = set()
    for node in imports:
        imported.update(_local_files(node, file, root))
    digest = hashlib.sha256("\n".join(meaning).encode()).hexdigest()
    return digest[:DIGITS], sorted(imported)


def _collect(node: object, meaning: list[str], imports: list[ast.stmt]) -> None:
    """Append a syntax tree's nodes, in order and without docstrings, and its import statements.

    Every kind of node has fixed fields, a list gives its length and a text is quoted, so that
    two trees that differ give two different sequences. `ast.dump` takes four times as long.
    """
    if isinstance(node, ast.AST):
        kind = type(node)
        meaning.append(kind.__name__)
        if kind is ast.Import or kind is ast.ImportFrom:
            imports.append(node)
        for field in _fields(kind):
            value = getattr(node, field, None)
            _collect(_without_docstring(value) if field == "body" else value, meaning, imports)
    elif isinstance(node, list):
        meaning.append(str(len(node)))
        for item in node:
            _collect(item, meaning, imports)
    else:
        meaning.append(repr(node))


@functools.cache
def _fields(kind: type[ast.AST]) -> list[str]:
    """The fields that distinguish two nodes of a kind.

    Not a string's prefix, nor whether a name is read or written, which its place implies.
    """
    return [field for field in kind._fields if field not in ("kind", "type_comment", "ctx")]


def _without_docstring(body: object) -> object:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _local_files(node: ast.stmt, file: Path, root: Path) -> Iterator[Path]:
    """Files under `root` that an import statement loads, packages' `__init__.py` included."""
    for name in _imported_names(node, file, root):
        place = root.joinpath(*name.split("."))
        folders = [folder for folder in (place, *place.parents) if folder.is_relative_to(root)]
        packages = [folder / "__init__.py" for folder in folders]
        for candidate in (place.with_suffix(".py"), *packages):
            if candidate.is_file():
                yield candidate


def _imported_names(node: ast.stmt, file: Path, root: Path) -> list[str]:
    """Full names of the modules that an import statement may load."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = file.parent.relative_to(root).parts
    above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
    module = ".".join(filter(None, [above, node.module]))
    # What is imported from a package may be a module of it.
    names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return list(filter(None, names))

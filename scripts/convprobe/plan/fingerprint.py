"""A digest of code by its meaning: the syntax trees of a script and of what it imports.

Snakemake reruns a job when its script's date changes and doesn't see the modules that it imports.
This sees just what can change a result: not dates, comments, docstrings or formatting.
"""

import ast
import functools
import hashlib
from pathlib import Path


def fingerprint(script):
    """Digests of a script and of every local module that it reaches by imports.

    Args:
        script: path of a Python file; modules are looked for from its folder.

    Returns:
        dict of 16 hexadecimal digits by path relative to the script's folder, in sorted order.
    """
    root = Path(script).parent
    digests, waiting = {}, [Path(script)]
    while waiting:
        file = waiting.pop()
        name = file.relative_to(root).as_posix()
        if name not in digests:
            digests[name], imported = _read(file, root)
            waiting += imported
    return dict(sorted(digests.items()))


@functools.cache
def _read(file, root):
    """Digest of one file and the local files that it imports."""
    meaning, imports = [], []
    _collect(ast.parse(file.read_text(encoding="utf-8")), meaning, imports)
    imported = {found for node in imports for found in _local_files(node, file, root)}
    return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:16], sorted(imported)


def _collect(node, meaning, imports):
    """Append a syntax tree's nodes, in order and without docstrings, and its import statements.

    Every kind of node has fixed fields, a list says its length and a text stands in quotes, so that
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
def _fields(kind):
    """What tells two nodes of a kind apart: not a text's prefix, nor what its place says (read or written)."""
    return [field for field in kind._fields if field not in ("kind", "type_comment", "ctx")]


def _without_docstring(body):
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _local_files(node, file, root):
    """Files under `root` that an import statement loads, packages' `__init__.py` included."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        package = file.parent.relative_to(root).parts
        above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
        module = ".".join(filter(None, [above, node.module]))
        # What is imported from a package may be a module of it.
        names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
    else:
        return
    for name in filter(None, names):
        place = root.joinpath(*name.split("."))
        packages = [
            parent / "__init__.py"
            for parent in (place, *place.parents)
            if parent.is_relative_to(root)
        ]
        yield from (found for found in [place.with_suffix(".py"), *packages] if found.is_file())

"""The digest of a stage's code, by which Snakemake sees that a result is stale.

It is made from the syntax trees of a script and of every module that the script imports. C++ that
a module compiles lies beside it under the same name, and counts with it, token by token.

Snakemake reruns a job when its script's date changes, and doesn't see the modules that it imports.
This sees exactly what can change a result: not dates, comments, docstrings or formatting. Modules
under `convprobe/job` are left out: they log, wait and hand over results, and decide no number, so
that the edit of a log line makes nothing stale. What a package's `__getattr__` would load (PEP 562)
counts for those alone who import the package itself, or a name of it that is no module; the
statements of one in this library, which only import, count for nobody.
"""

import ast
import functools
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from convprobe.plan import contents
from convprobe.store import files

OWN, _, _ = __name__.partition(".")  # this library: what others offer may compute something
NO_NUMBERS = f"{OWN}/job"  # relative to the scripts' folder
COMPILED = ".cpp"  # how the name of what a module compiles ends
# What a C++ file is made of. A directive ends with its line; all else may be laid out in any way.
CPP = re.compile(
    r"""
    (?P<nothing> //[^\n]* | /\*.*?\*/ | \s+ )
    | \# (?: (?!//|/\*) [^\n] )*
    | " (?: \\. | [^"\\] )* " | ' (?: \\. | [^'\\] )* '
    | [\w.]+
    | [][(){};,]
    | [^]\w\s[(){};,"'/\#]+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def fingerprint(script: Path | str) -> dict[str, str]:
    """Digests of a script and of every local module that it reaches by imports.

    What only modules under NO_NUMBERS import is left out as well.

    Args:
        script: path of a Python file; modules are looked for from its folder.

    Returns:
        16 hexadecimal digits by path relative to the script's folder, in sorted order.
    """
    return of_files([Path(script)], Path(script).parent)


def of_scripts(folder: Path | str, memory: Path | str) -> dict[str, dict[str, str]]:
    """The fingerprint of every script in a folder; found anew only where code has changed.

    To read the syntax of all modules takes a quarter of the time of a plan.

    Args:
        folder: of the scripts and of what they import.
        memory: as for `contents.digest`.

    Returns:
        by the scripts' names.
    """
    root = Path(folder)
    paths = [*_code(root.rglob("*.py")), *_code(root.rglob(f"*{COMPILED}"))]
    code = [(str(file.relative_to(root)), files.sha256(file)) for file in paths]

    def find() -> dict[str, dict[str, str]]:
        return {script.name: fingerprint(script) for script in sorted(_code(root.glob("*.py")))}

    key = os.path.relpath(root)  # a folder that is moved or copied takes its memory with it
    return contents.remembered(memory, key, [sys.version, sorted(code)], find)


def _code(paths: Iterable[Path]) -> list[Path]:
    """Files of code; not what an editor or a file system keeps beside them under a hidden name."""
    return [file for file in paths if not file.name.startswith(".") and file.is_file()]


def of_files(start: Iterable[Path], root: Path) -> dict[str, str]:
    """Digests of files and of every module below a folder that they reach by imports.

    Returns:
        as `fingerprint`, by path relative to that folder.
    """
    digests = {}
    waiting = list(start)
    while waiting:
        file = waiting.pop()
        name = file.relative_to(root)
        if name.as_posix() in digests or name.is_relative_to(NO_NUMBERS):
            continue
        if file.suffix == COMPILED:
            digests[name.as_posix()] = _digest(_tokens(file.read_text(encoding="utf-8")))
            continue
        digests[name.as_posix()], imported = _read(file, root)
        waiting += imported
        waiting += filter(Path.is_file, [file.with_suffix(COMPILED)])
    return dict(sorted(digests.items()))


def files_of_module(name: str, root: Path) -> list[Path]:
    """A module's file and those of the packages that it lies in."""
    statement = ast.Import([ast.alias(name)])
    return sorted(set(_local_files(statement, root / "importing.py", root)))


def tree(file: Path) -> ast.Module:
    """The syntax tree of a Python file, in whatever encoding it says it is."""
    return ast.parse(file.read_bytes(), file)


@functools.cache
def _read(file: Path, root: Path) -> tuple[str, list[Path]]:
    """Digest of one file, and the local files that it imports."""
    module = tree(file)
    is_package = file.name == "__init__.py"
    offers = [statement for statement in module.body if is_package and _is_offer(statement)]
    module.body = [statement for statement in module.body if statement not in offers]
    meaning, imported = _meaning(module, file, root)
    if file.relative_to(root).parts[0] != OWN:
        offered, _ = _meaning(ast.Module(offers, []), file, root)
        meaning += offered
    return _digest(meaning), imported


def _digest(meaning: list[str]) -> str:
    return hashlib.sha256("\n".join(meaning).encode()).hexdigest()[:16]


def _tokens(source: str) -> list[str]:
    """What a C++ file says, without comments and blank space."""
    tokens = CPP.finditer(source)
    return [token[0].strip() for token in tokens if token["nothing"] is None]


def _is_offer(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef) and statement.name == "__getattr__"


@functools.cache
def _offered(init: Path, root: Path) -> list[Path]:
    """The local files that a package loads only when it is asked for a name."""
    module = tree(init)
    module.body = [statement for statement in module.body if _is_offer(statement)]
    _, imported = _meaning(module, init, root)
    return imported


def _meaning(module: ast.Module, file: Path, root: Path) -> tuple[list[str], list[Path]]:
    """The nodes of a syntax tree, and the local files that it imports."""
    meaning = []
    statements = []
    _collect(module, meaning, statements)
    imported = set()
    for statement in statements:
        imported.update(_local_files(statement, file, root))
    return meaning, sorted(imported)


def _collect(node: Any, meaning: list[str], imports: list[ast.Import | ast.ImportFrom]) -> None:
    """Append a syntax tree's nodes, in order and without docstrings, and its import statements.

    Every kind of node has fixed fields, a list is preceded by its length and a text is quoted, so
    that two different trees give two different sequences. `ast.dump` takes four times as long.
    """
    if isinstance(node, ast.AST):
        kind = type(node)
        meaning.append(kind.__name__)
        if kind is ast.Import or kind is ast.ImportFrom:
            imports.append(node)
        for field in _fields(kind):
            value = getattr(node, field, None)
            if field == "body":
                value = _without_docstring(value)
            _collect(value, meaning, imports)
    elif isinstance(node, list):
        meaning.append(str(len(node)))
        for item in node:
            _collect(item, meaning, imports)
    else:
        meaning.append(repr(node))


@functools.cache
def _fields(kind: type[ast.AST]) -> list[str]:
    """Fields in which two nodes of a kind differ in meaning.

    Neither a text's prefix (`kind`) nor whether a name is read or written (`ctx`) is one of them:
    the place of the node says that. Nor are the types in a function's signature, which are read
    by checkers alone; those of the fields of a class count. Python 3.12 brought `type_params`.
    """
    ignored = ["kind", "type_comment", "ctx", "returns", "type_params"]
    if kind is ast.arg:
        ignored.append("annotation")
    return [field for field in kind._fields if field not in ignored]


def _without_docstring(body: Any) -> Any:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _local_files(node: ast.Import | ast.ImportFrom, file: Path, root: Path) -> Iterator[Path]:
    """Files under `root` that an import statement loads, packages' `__init__.py` included."""
    for name in _imported_modules(node, file, root):
        yield from _files_loaded(name, root)


@functools.cache
def _files_loaded(name: str, root: Path) -> list[Path]:
    """Files under `root` that are loaded with a module or package of this dotted name."""
    module = root.joinpath(*name.split("."))
    packages = [path for path in (module, *module.parents) if path.is_relative_to(root)]
    inits = [package / "__init__.py" for package in packages]
    loaded = list(filter(Path.is_file, [module.with_suffix(".py"), *inits]))
    if inits[0].is_file():  # a package itself: it may be asked for what it offers
        loaded += _offered(inits[0], root)
    return loaded


def _imported_modules(node: ast.Import | ast.ImportFrom, file: Path, root: Path) -> Iterator[str]:
    """Dotted names, from `root`, of the modules and packages that an import statement names."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            parts = alias.name.split(".")
            for length in range(1, len(parts) + 1):  # `import a.b` makes a known as well
                yield ".".join(parts[:length])
        return
    above = ""
    if node.level:
        package = file.parent.relative_to(root).parts
        above = ".".join(package[: len(package) - node.level + 1])
    module = ".".join(filter(None, [above, node.module]))
    for alias in node.names:
        # What is imported from a package may be one of its modules.
        inner = ".".join(filter(None, [module, alias.name]))
        path = root.joinpath(*inner.split("."))
        if path.is_dir() or path.with_suffix(".py").is_file():
            yield inner
        elif module:
            yield module

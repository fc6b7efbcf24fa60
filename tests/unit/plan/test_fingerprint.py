"""The digest of code: changed by what can change a result, and by nothing else."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from convprobe.plan.fingerprint import fingerprint, of_scripts

SCRIPTS = Path(__file__).parents[3] / "scripts"
# script.py reaches pkg/a.py and, from there, all but the two unused.py, by every form of import.
TREE = {
    "script.py": "import json\nfrom pkg import a\n\n\ndef run(x):\n    return a.twice(x) + 1\n",
    "pkg/__init__.py": "",
    "pkg/a.py": """
        import numpy
        import top.plain
        from . import b
        from .c import value
        from .deep.inner import one


        class Sum:
            def twice(self, x):
                return 2 * x
    """,
    "pkg/b.py": "import pkg.a\n\nname = 'b'\n",
    "pkg/c.py": "value = 3\n",
    "pkg/d.py": "def y():\n    import lazy\n\n    return lazy.z\n",
    "pkg/deep/__init__.py": "",
    "pkg/deep/inner.py": "from ..d import y\nfrom .. import e as other\n\none = 1\n",
    "pkg/e.py": "value = 5\n",
    "pkg/unused.py": "value = 1\n",
    "top/__init__.py": "",
    "top/plain.py": "value = 1\n",
    "lazy.py": "z = 1\n",
    "unused.py": "value = 1\n",
}
REACHED = set(TREE) - {"unused.py", "pkg/unused.py"}


@pytest.fixture
def digests(tmp_path):
    """A function: digests of the tree with some files replaced, each time in another folder."""
    folders = (tmp_path / f"copy {number}" for number in range(100))

    def write(replaced=()):
        folder = next(folders)
        for name, text in (TREE | dict(replaced)).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return fingerprint(folder / "script.py")

    return write


def changed(one, other):
    """Files whose digests differ or are in one only."""
    return {name for name in one | other if one.get(name) != other.get(name)}


def test_every_module_that_is_reached_has_a_digest_and_no_other(digests):
    found = digests()
    assert set(found) == REACHED
    assert list(found) == sorted(found)
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in found.values())


def test_a_script_without_imports_has_one_digest(digests):
    assert set(digests({"script.py": "print(1)\n"})) == {"script.py"}


def test_a_moved_folder_has_the_same_digests(digests):
    assert digests() == digests()


def test_the_folder_may_be_given_relative_to_the_current_one(digests, tmp_path, monkeypatch):
    found = digests()
    monkeypatch.chdir(tmp_path / "copy 0")
    assert fingerprint("script.py") == found


def test_dates_do_not_count(digests, tmp_path):
    found = digests()
    (tmp_path / "copy 0").rename(tmp_path / "touched")
    for path in (tmp_path / "touched").rglob("*.py"):
        os.utime(path, (1, 1))
    assert fingerprint(tmp_path / "touched" / "script.py") == found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pkg/c.py", "# a comment\nvalue = 3  # another\n"),
        ("pkg/c.py", '"""What this is for."""\n\nvalue = 3\n'),
        ("pkg/c.py", "\n\nvalue  =  (\n    0x3\n)"),
        ("pkg/b.py", 'import pkg.a\nname = "b"\n'),
        (
            "script.py",
            "import json\nfrom pkg import (\n  a,\n)\ndef run( x ):\n  'Say.'\n"
            "  return (a.twice(x) + 1)\n",
        ),
        (
            "pkg/a.py",
            TREE["pkg/a.py"].replace("class Sum:", 'class Sum:\n            """Sums."""\n'),
        ),
        ("pkg/a.py", TREE["pkg/a.py"].replace("return", '"""Two."""\n                return')),
        ("script.py", TREE["script.py"].replace("def run(x):", "def run(x: int) -> int:")),
        ("pkg/unused.py", "value = 2\n"),
        ("unused.py", "value = 2\n"),
    ],
    ids=[
        "comment",
        "docstring",
        "formatting",
        "quotes",
        "layout and docstring",
        "docstring of a class",
        "docstring of a method",
        "types in a signature",
        "module beside",
        "script beside",
    ],
)
def test_what_cannot_change_a_result_changes_no_digest(digests, name, text):
    assert text != TREE[name]
    assert digests({name: text}) == digests()


@pytest.mark.parametrize("name", sorted(REACHED))
def test_an_edit_changes_the_digest_of_exactly_its_file(digests, name):
    edited = textwrap.dedent(TREE[name]) + "\nadded = 1\n"
    assert changed(digests(), digests({name: edited})) == {name}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("+ 1", "+ 2"),
        ("+ 1", "+ 1.0"),
        ("+ 1", "- 1"),
        ("def run(x)", "def run(x=0)"),
        ("a.twice", "a.thrice"),
    ],
)
def test_a_small_edit_of_an_expression_counts(digests, before, after):
    edited = TREE["script.py"].replace(before, after)
    assert changed(digests(), digests({"script.py": edited})) == {"script.py"}


def test_the_type_of_a_field_counts(digests):
    """A dataclass reads it: a ClassVar is no field."""
    one, other = (digests({"pkg/c.py": f"class A:\n    b: {kind} = 3\n"}) for kind in ("int", "C"))
    assert changed(one, other) == {"pkg/c.py"}


def test_a_text_that_is_no_docstring_counts(digests):
    one, other = (digests({"pkg/c.py": f"value = 3\nname = '''{text}'''\n"}) for text in ("a", "b"))
    assert changed(one, other) == {"pkg/c.py"}


@pytest.mark.parametrize(
    ("statement", "reached"),
    [
        ("import top.plain", {"top/__init__.py", "top/plain.py"}),
        ("import top.plain as p", {"top/__init__.py", "top/plain.py"}),
        ("import top", {"top/__init__.py"}),
        ("from top import plain", {"top/__init__.py", "top/plain.py"}),
        ("from top.plain import value", {"top/__init__.py", "top/plain.py"}),
        ("import lazy, unused", {"lazy.py", "unused.py"}),
        ("if 0:\n    import lazy", {"lazy.py"}),
        ("import numpy.linalg\nfrom os import path", set()),
    ],
)
def test_a_form_of_import_reaches_its_module_and_its_packages(digests, statement, reached):
    assert set(digests({"script.py": f"{statement}\n"})) == {"script.py", *reached}


@pytest.mark.parametrize(
    ("place", "statement", "reached"),
    [
        ("pkg/x.py", "from . import c", {"pkg/c.py"}),
        ("pkg/x.py", "from .c import value", {"pkg/c.py"}),
        ("pkg/deep/x.py", "from ..c import value", {"pkg/c.py", "pkg/deep/__init__.py"}),
        ("pkg/deep/x.py", "from .. import c", {"pkg/c.py", "pkg/deep/__init__.py"}),
        (
            "pkg/deep/x.py",
            "from .inner import one",
            {"pkg/d.py", "pkg/e.py", "lazy.py"} | {"pkg/deep/inner.py", "pkg/deep/__init__.py"},
        ),
    ],
)
def test_a_relative_import_reaches_its_module(digests, place, statement, reached):
    module = place.removesuffix(".py").replace("/", ".")
    found = digests({"script.py": f"import {module}\n", place: f"{statement}\n"})
    assert set(found) == {"script.py", "pkg/__init__.py", place, *reached}


def test_what_a_package_imports_in_its_init_is_reached(digests):
    found = digests({"script.py": "import pkg.c\n", "pkg/__init__.py": "from .e import value\n"})
    assert set(found) == {"script.py", "pkg/__init__.py", "pkg/c.py", "pkg/e.py"}


OFFER = """
def __getattr__(name):
    if name == "one":
        from pkg.deep.inner import one

        return one
    raise AttributeError(name)
"""
OFFERED = {"pkg/deep/__init__.py", "pkg/deep/inner.py", "pkg/d.py", "pkg/e.py", "lazy.py"}


@pytest.mark.parametrize(
    ("statement", "reached"),
    [
        ("from pkg import one", OFFERED),
        ("from pkg import c, one", {"pkg/c.py"} | OFFERED),
        ("import pkg", OFFERED),
        ("import pkg.c", {"pkg/c.py"} | OFFERED),
        ("from pkg import c", {"pkg/c.py"}),
        ("from pkg.c import value", {"pkg/c.py"}),
    ],
)
def test_what_a_package_offers_is_reached_by_who_may_ask_for_it(digests, statement, reached):
    found = digests({"script.py": f"{statement}\n", "pkg/__init__.py": OFFER})
    assert set(found) == {"script.py", "pkg/__init__.py", *reached}


@pytest.mark.parametrize("package", ["convprobe", "pkg"])
def test_an_offer_counts_but_of_this_library_whose_offers_only_import(digests, package):
    """Of a user's own package it may make the network."""
    init = f"{package}/__init__.py"
    script = {"script.py": f"import {package}.c\n", f"{package}/c.py": ""}
    without, offering = (digests({**script, init: text})[init] for text in ("", OFFER))
    assert (without == offering) == (package == "convprobe")


def test_an_edit_under_job_changes_no_digest(digests):
    """Neither of a module there, nor of what only such a module imports; all else counts."""
    tree = {
        "script.py": "from convprobe.job import log\nimport top.plain\n",
        "convprobe/__init__.py": "",
        "convprobe/job/__init__.py": "",
        "convprobe/job/log.py": "import lazy, top.plain\n\nprint('started')\n",
        "convprobe/jobs.py": "value = 1\n",
    }
    before = digests(tree)
    assert set(before) == {
        "script.py",
        "convprobe/__init__.py",
        "top/__init__.py",
        "top/plain.py",
    }
    other_words = {"convprobe/job/log.py": "import lazy, top.plain\n\nprint('has started')\n"}
    assert digests(tree | other_words) == before
    beside = {"script.py": tree["script.py"] + "import convprobe.jobs\n"}
    assert "convprobe/jobs.py" in digests(tree | beside)


def test_a_file_outside_the_folder_is_never_reached(digests, tmp_path):
    (tmp_path / "copy 0.py").write_text("value = 1\n", encoding="utf-8")
    assert set(digests({"script.py": "from . import lazy\n"})) == {"script.py", "lazy.py"}


def plan(folder):
    """The digests of all scripts of a folder as a plan of its own finds them."""
    asked = (
        "import json; from pathlib import Path; from convprobe.plan import fingerprint\n"
        "print(json.dumps(fingerprint.of_scripts(Path.cwd() / 'scripts', 'memory.json')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=folder, env={"PYTHONPATH": str(SCRIPTS)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(run.stdout)


def test_hidden_files_are_no_code(tmp_path):
    """As an editor's lock, a link that leads nowhere, and what macOS leaves on other disks."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "one.py").write_text("value = 1\n")
    before = plan(tmp_path)
    (folder / ".#one.py").symlink_to("somebody@somewhere.123")
    (folder / "._one.py").write_bytes(b"\x00\x05\x16\x07\xff")
    assert plan(tmp_path) == before


def test_what_is_remembered_of_scripts_changes_with_any_of_their_files(tmp_path):
    folder = tmp_path / "scripts"
    (folder / "pkg").mkdir(parents=True)
    (folder / "one.py").write_text("from pkg import a\n")
    (folder / "other.py").write_text("value = 1\n")
    (folder / "pkg/a.py").write_text("value = 1\n")
    first = plan(tmp_path)
    assert {name: set(files) for name, files in first.items()} == {
        "one.py": {"one.py", "pkg/a.py"},
        "other.py": {"other.py"},
    }
    memory = tmp_path / "memory.json"
    memory.write_text(memory.read_text().replace(first["other.py"]["other.py"], "remembered"))
    assert plan(tmp_path)["other.py"] == {"other.py": "remembered"}
    copied = shutil.copytree(tmp_path, tmp_path.with_name("copied"))
    assert plan(copied)["other.py"] == {"other.py": "remembered"}

    (folder / "pkg/a.py").write_text("value = 2\n")
    edited = plan(tmp_path)
    assert edited["other.py"] == first["other.py"]
    assert changed(edited["one.py"], first["one.py"]) == {"pkg/a.py"}
    (folder / "pkg/__init__.py").write_text("")
    assert set(plan(tmp_path)["one.py"]) == {"one.py", "pkg/a.py", "pkg/__init__.py"}
    memory.write_text("damaged")
    assert set(plan(tmp_path)["one.py"]) == {"one.py", "pkg/a.py", "pkg/__init__.py"}


CPP = """
#include <cstdint>
// Twice.
extern "C" int twice(int x) { return x + x; }
"""


@pytest.fixture
def compiled(digests):
    """A function: the digests of the tree in which a module compiles a C++ file."""
    return lambda text: digests({"pkg/c.cpp": text, "unused.cpp": text})


def test_what_a_module_compiles_counts_with_it(compiled, digests):
    found = compiled(CPP)
    assert set(found) == REACHED | {"pkg/c.cpp"}
    assert changed(found, digests()) == {"pkg/c.cpp"}


@pytest.mark.parametrize(
    "text",
    [
        CPP.replace("// Twice.", ""),
        CPP.replace("// Twice.", '/* Two\nlines, "not ended */'),
        CPP.replace("<cstdint>", "<cstdint>  // for int64_t"),
        CPP.replace(" { return", "\n{\n    return  ").replace("( ", "("),
        CPP.replace("x + x", "x+x").replace("(int x)", "( int x )"),
    ],
    ids=["comment", "long comment", "comment behind a directive", "lines", "blanks"],
)
def test_words_and_layout_of_cpp_do_not_count(compiled, text):
    assert text != CPP
    assert compiled(text) == compiled(CPP)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x + x", "x - x"),
        ("x + x", "x +x+ 0"),
        ("x + x", "x + +x"),
        ("x + x", "x ++x"),
        ("int twice", "inttwice"),
        ('"C"', '"C "'),
        ('"C"', '"//"'),
        ("<cstdint>\n// Twice.\n", "<cstdint> "),
        ("Twice.\n", "Twice. "),
        ("x + x", "x.x"),
    ],
)
def test_a_small_edit_of_cpp_counts(compiled, before, after):
    edited = CPP.replace(before, after)
    assert changed(compiled(CPP), compiled(edited)) == {"pkg/c.cpp"}


def test_what_is_remembered_of_scripts_is_found_anew_where_cpp_has_changed(tmp_path):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "script.py").write_text("import own\n")
    (folder / "own.py").write_text("value = 1\n")
    found = []
    for number in range(2):
        (folder / "own.cpp").write_text(f"int value = {number};\n")
        found.append(of_scripts(folder, tmp_path / "memory.json")["script.py"])
    assert changed(*found) == {"own.cpp"}

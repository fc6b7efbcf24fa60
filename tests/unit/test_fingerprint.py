"""The digest of code: changed by what can change a result, and by nothing else."""

import os
import shutil
import textwrap

import pytest

from convprobe.fingerprint import fingerprint

# script.py reaches pkg/a.py and from there, by every form of import, the others; unused.py is never reached.
TREE = {
    "script.py": """
        import json
        from pkg import a

        def run(x):
            return a.twice(x) + 1
    """,
    "pkg/__init__.py": "",
    "pkg/a.py": """
        import numpy
        import top.plain
        from . import b
        from .c import value
        from .deep.inner import one

        def twice(x):
            return 2 * x
    """,
    "pkg/b.py": "import pkg.a\n\nname = 'b'\n",
    "pkg/c.py": "value = 3\n",
    "pkg/deep/__init__.py": "",
    "pkg/deep/inner.py": "from ..d import y\nfrom ... import nothing_above\n\none = 1\n",
    "pkg/d.py": "def y():\n    import lazy\n\n    return lazy.z\n",
    "pkg/unused.py": "value = 1\n",
    "top/__init__.py": "",
    "top/plain.py": "value = 1\n",
    "lazy.py": "z = 1\n",
    "unused.py": "value = 1\n",
}
REACHED = sorted(set(TREE) - {"unused.py", "pkg/unused.py"})


@pytest.fixture
def digests_of(tmp_path):
    """A function: the digests of the tree with some files replaced, each time in a folder of its own."""

    def digests(name, **_):
        return fingerprint(tmp_path / name / "script.py")

    def write(replaced=(), folder=[0]):  # noqa: B006 (counts the calls)
        folder[0] += 1
        for name, text in (TREE | dict(replaced)).items():
            path = tmp_path / str(folder[0]) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return digests(str(folder[0]))

    return write

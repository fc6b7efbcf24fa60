"""The page's modules joined to one script."""

import re
from collections import Counter
from pathlib import Path

import pytest

from convprobe.report import explorer, page_script

MODULES = sorted(explorer.PAGE_FOLDER.glob("*.mjs"))
SOURCES = sorted(path for path in explorer.PAGE_FOLDER.iterdir() if path.is_file())
TOP_LEVEL = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+|\[.*?\])", re.M)


def write_modules(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.mjs").write_text(text, encoding="utf-8")


def test_a_module_comes_once_and_before_those_that_import_it(tmp_path):
    write_modules(
        tmp_path,
        main='import { a } from "./left.mjs";\nimport { b } from "./right.mjs";\n\na(b);\n',
        left='import {\n  c,\n} from "./shared.mjs";\n\nexport function a() {\n  return c;\n}\n',
        right='import { c } from "./shared.mjs";\n\nexport const b = c;\n',
        shared="export const c = 1;\n",
        unused="export const d = 1;\n",
    )
    lines = page_script.joined(tmp_path).splitlines()
    assert [line for line in lines if line] == [
        "const c = 1;",
        "function a() {",
        "  return c;",
        "}",
        "const b = c;",
        "a(b);",
    ]


def test_the_pages_script_has_all_modules_and_no_import_or_export():
    script = page_script.joined(explorer.PAGE_FOLDER)
    for path in MODULES:
        opening = path.read_text(encoding="utf-8").partition("\n")[0]
        assert script.count(opening) == 1, f"{path.name} is in the script once"
    assert not re.search(r"^\s*(import|export)\b", script, re.M)
    assert "</script" not in script.lower(), "or the script would end there"


def test_no_two_modules_give_a_name_to_different_things():
    names = Counter()
    for path in MODULES:
        for found in TOP_LEVEL.findall(path.read_text(encoding="utf-8")):
            names.update(re.findall(r"\w+", found))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_lines_of_the_page_are_short(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 100

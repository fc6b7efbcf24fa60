"""The page's script: the modules of `report/explorer/`, joined to one text."""

import re
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.mjs";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(async )?function |const )", re.MULTILINE)


def joined(folder: Path, main: str = "main") -> str:
    """A module and all that it imports, each once and before the modules that import it.

    Names are shared in the result, so no two modules may give the same name to different things.

    Args:
        folder: of the modules, `NAME.mjs`.
        main: name of the module that starts the page.
    """
    texts: dict[str, str] = {}
    _add(folder, main, texts)
    return "\n".join(texts.values())


def _add(folder: Path, name: str, texts: dict[str, str]) -> None:
    """Add a module to the texts, after those that it imports."""
    text = (folder / f"{name}.mjs").read_text(encoding="utf-8")
    for imported in IMPORT.findall(text):
        if imported not in texts:
            _add(folder, imported, texts)
    texts[name] = EXPORT.sub("", IMPORT.sub("", text))

"""One self-contained page of a whole experiment: every table and figure, no server, no network."""

import base64
import html
from pathlib import Path

import pandas as pd

from convprobe import files

MOST_ROWS = 1000  # of a table on the page

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
img { max-width: 100%; height: auto; background: white; border-radius: 4px; }
figure { margin: 1.5rem 0; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; text-align: left; border-bottom: 1px solid #8886; }
.table { overflow-x: auto; max-height: 30rem; overflow-y: auto; }
nav a { margin-right: 1rem; }
"""


def write(path, title, sections):
    """Write the page.

    Args:
        path: of the page; the files that it shows are linked relative to its folder.
        title: of the page.
        sections: dict by heading of paths of PNG and CSV files, in the order shown.
    """
    folder = Path(path).parent
    anchors = {heading: f"section-{number}" for number, heading in enumerate(sections, start=1)}
    navigation = "".join(f'<a href="#{anchor}">{html.escape(heading)}</a>' for heading, anchor in anchors.items())
    body = ""
    for heading, paths in sections.items():
        shown = "".join(_shown(path, folder) for path in paths)
        body += f'<section id="{anchors[heading]}"><h2>{html.escape(heading)}</h2>{shown}</section>'
    with files.replacing(path) as partial:
        partial.write_text(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
            f"<body><header><h1>{html.escape(title)}</h1><nav>{navigation}</nav></header><main>{body}</main></body></html>\n",
            encoding="utf-8",
        )


def _shown(path, folder):
    place = html.escape(Path(path).relative_to(folder).as_posix())
    link = f'<figcaption><a href="{place}">{place}</a></figcaption>'
    if Path(path).suffix == ".csv":
        table = pd.read_csv(path, keep_default_na=False)
        shown = table.head(MOST_ROWS).to_html(index=False, border=0)
        rest = f"<p>{len(table) - MOST_ROWS} more rows are in the file.</p>" if len(table) > MOST_ROWS else ""
        return f'<figure>{link}<div class="table" tabindex="0">{shown}</div>{rest}</figure>'
    data = base64.b64encode(Path(path).read_bytes()).decode()
    return f'<figure>{link}<img alt="{place}" src="data:image/png;base64,{data}"></figure>'

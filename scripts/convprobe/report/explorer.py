"""One self-contained page of a whole experiment, for a browser without a network.

What the page shows is one JSON object, deflated, in the page itself; `report/explorer/` holds its HTML, its
style and the script that draws it.
"""

import base64
import html
import json
import re
import string
import zlib
from pathlib import Path

import matplotlib
import numpy as np
import yaml

from convprobe.ablation import tabulation
from convprobe.ablation.answers import chance, what_it_loses
from convprobe.dataset import image_file
from convprobe.errors import InputError
from convprobe.filters.answers import what_filters_answer_to
from convprobe.job import versions
from convprobe.occlusion.answers import where_it_looks
from convprobe.report import sprites
from convprobe.store import files, hdf5, tables

ASSETS = Path(__file__).parents[3] / "report/explorer"
DIGITS = 4  # of a probability on the page
# What the page holds at most; the files beside it hold all.
MOST_BYTES = 5_700_000  # of all data, compressed: maps fill what the rest leaves
MOST_THUMBNAIL_PIXELS = 3000 * 32 * 32
MOST_ROWS = 20_000  # of predictions
THUMBNAIL_SIDE = 64  # at most
LIBRARIES = ("torchvision", "h5py", "snakemake")
TABLE_COLUMNS = ("class", "clean", "ablated")
BOX = ("top", "left", "bottom", "right")
DATA = re.compile(r'(<script type="text/plain" id="data">)([^<]*)(</script>)')


def write(path, folder, settings):
    """Write the page.

    Args:
        path: of the page.
        folder: of the experiment, in which the page lies and to whose files it links.
        settings: dict of `title`; `probes`, folders of the probed epochs relative to `folder`; `windows`;
            `chosen` filters; `table_images`; `trained` runs; `config`, to be shown; and `files`, all results
            relative to `folder`.
    """
    data = _packed(collect(Path(folder), settings))
    with files.replacing(path) as partial:
        partial.write_text(page(settings["title"], data), encoding="utf-8")


def page(title: str, data: str = "") -> str:
    """The page's text, with or without its data."""
    parts = {
        name: (ASSETS / f"page.{name}").read_text(encoding="utf-8")
        for name in ("html", "css", "js")
    }
    return string.Template(parts["html"]).substitute(
        title=html.escape(title), style=parts["css"], script=parts["js"], data=data
    )


def read(path: str | Path) -> tuple[dict, str]:
    """What a page shows, as plain values, and its text without the data.

    Raises:
        InputError: it holds no data.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        data = DATA.search(text)[2]
        return json.loads(zlib.decompress(base64.b64decode(data))), DATA.sub(r"\1\3", text)
    except (TypeError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: holds no data of such a page ({error})") from error


def collect(folder, settings):
    """All that the page shows, as plain values."""
    images_path = folder / "dataset/images.h5"
    probes = [_probe(folder / place, images_path, settings) for place in settings["probes"]]
    found = {
        "probes": probes,
        "side": image_file.side(images_path),
        "classes": image_file.classes(images_path),
        "digits": DIGITS,
        "viridis": (np.array(matplotlib.colormaps["viridis"].colors) * 255)
        .round()
        .astype(int)
        .ravel()
        .tolist(),
        "thumbnails": _thumbnails(images_path, probes),
        "curves": [_curve(folder / run) for run in settings["trained"]],
        "card": _table(tables.read(folder / "reproduction.csv")),
        "counts": _table(tables.read(folder / "dataset/classes.csv")),
        "config": yaml.safe_dump(
            settings["config"], sort_keys=False, default_flow_style=None, width=100
        ),
        "versions": versions.computing() | versions.of(LIBRARIES),
        "files": settings["files"],
    }
    share = (MOST_BYTES - len(_packed(found))) // max(1, len(probes))
    for probe, place in zip(probes, settings["probes"], strict=True):
        probe["looks"] = _looks(
            folder / place / "occlusion", images_path, settings["windows"], share
        )
    return found


def _packed(found):
    """Plain values as the page holds them."""
    return _deflated(
        json.dumps(found, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    )


def _deflated(data):
    """As the page's script inflates it."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _probe(folder, images_path, settings):
    """What is shown of one network, but where it looks."""
    run, checkpoint = folder.parts[-2:]
    predictions = tables.read(folder / "ablation/predictions.csv")
    return {
        "run": run,
        "checkpoint": checkpoint,
        "warning": chance(predictions, _chosen_among(folder.parent, settings["trained"])),
        "answers": _answers(
            folder / "filters", images_path, settings["chosen"], predictions["class"].value_counts()
        ),
        "loses": _loses(
            folder / "ablation",
            predictions,
            image_file.classes(images_path),
            settings["table_images"],
        ),
    }


def _chosen_among(folder: Path, trained: list[str]) -> int:
    return (
        files.read_json(folder / "selection.json")["chosen_among"] if folder.name in trained else 1
    )


def _looks(folder, images_path, windows, most_bytes):
    """Probabilities under every window, for as many images as fit, and means over all images."""
    summary, localisation = (
        tables.read(folder / f"{name}.csv") for name in ("summary", "localisation")
    )
    paths = {window: folder / f"window-{window}.h5" for window in windows}
    shown, maps, taken = [], [], 0
    pixel_bytes = 4 * image_file.side(images_path) ** 2  # in base64, at most
    with hdf5.open_complete(paths[windows[0]]) as file:
        indices, clean = file["image"][:], file["clean_probability"][:]
        digest = file.attrs["checkpoint_sha256"]
    for row, image in enumerate(indices):
        packed = _deflated(
            _units(np.stack([_rows(path, row) for path in paths.values()])).tobytes()
        )
        taken += len(packed) + pixel_bytes
        if shown and taken > most_bytes:
            break
        shown.append(int(image))
        maps.append(packed)
    images = image_file.read(images_path, "test", shown)
    return {
        "indices": shown,
        "of": len(indices),
        "labels": images.labels.tolist(),
        "clean": _units(clean[: len(shown)]).tolist(),
        "maps": maps,
        "sprite": sprites.sprite(images.pixels, images.side, lossless=True),
        "masks": None if images.masks is None else [_packed_bits(mask) for mask in images.masks],
        "windows": [_window(path, summary, localisation, len(shown)) for path in paths.values()],
        "digest": digest,
    }


def _rows(path, row):
    """One image's probabilities: float32 (class, y, x)."""
    with hdf5.open_complete(path) as file:
        return np.moveaxis(file["probability"][row], -1, 0)


def _units(probability):
    """Probabilities in units of the last digit shown: uint16."""
    return np.rint(probability.astype(np.float64) * 10**DIGITS).astype("<u2")


def _packed_bits(mask):
    return base64.b64encode(np.packbits(mask)).decode()


def _window(path, summary, localisation, shown):
    """A window's numbers: each shown image's, and what all of them say."""
    with hdf5.open_complete(path) as file:
        window, fill = int(file.attrs["window"]), int(file.attrs["fill"])
    columns = ["mean_confidence", "min_confidence", "flipped_fraction"]
    rows, found = (table[table["window"] == window] for table in (summary, localisation))
    return {
        "window": window,
        "fill": fill,
        "answer": where_it_looks(rows, found),
        "rows": rows[columns].head(shown).round(6).to_numpy().tolist(),
    }


def _answers(folder, images_path, chosen, class_counts):
    """The top images of every filter, and what the peak of each sees in its first one."""
    table = tables.read(folder / "all-top-images.csv")
    layers = []
    for name, rows in table.groupby("layer"):
        first = rows[rows["rank"] == 1]
        pixels = image_file.read(images_path, "test", first["image"].tolist()).pixels
        boxes = first[list(BOX)].to_numpy()
        patches = [
            sprites.thumbnail(image[top:bottom, left:right], THUMBNAIL_SIDE)
            for image, (top, left, bottom, right) in zip(pixels, boxes, strict=True)
        ]
        layers.append(
            {
                "name": name,
                "channels": len(first),
                "ranks": int(rows["rank"].max()),
                "image": rows["image"].tolist(),
                "response": [float(f"{response:.4g}") for response in rows["response"]],
                **{side: rows[side].tolist() for side in BOX},
                "sprite": sprites.sprite(patches, max(max(patch.shape[:2]) for patch in patches)),
            }
        )
    return {
        "answer": what_filters_answer_to(table, class_counts),
        "layers": layers,
        "chosen": chosen,
    }


def _loses(folder, predictions, classes, table_images):
    """Accuracy of the variants, confusion, and the predictions before and after."""
    accuracy = tables.read(folder / "accuracy.csv")
    lost = tabulation.lost_images(predictions)
    # Those that turned wrong first: they are what is looked for.
    rows = list(dict.fromkeys([*lost.index, *predictions.index[:MOST_ROWS]]))
    shown = predictions.loc[sorted(rows[:MOST_ROWS])]
    return {
        "answer": what_it_loses(accuracy),
        "variants": _table(accuracy),
        "confusion": {
            state: tabulation.confusion(predictions, state, classes).to_numpy().tolist()
            for state in tabulation.STATES
        },
        "image": shown["image"].tolist(),
        **{column: shown[column].map(classes.index).tolist() for column in TABLE_COLUMNS},
        "clean_confidence": _units(shown["clean_confidence"].to_numpy()).tolist(),
        "ablated_confidence": _units(shown["ablated_confidence"].to_numpy()).tolist(),
        "images": len(predictions),
        "table_images": table_images,
        "lost": lost["image"].tolist(),
    }


def _thumbnails(images_path, probes):
    """Small pictures of the images that the page names most, and whose they are."""
    most = MOST_THUMBNAIL_PIXELS // min(image_file.side(images_path), THUMBNAIL_SIDE) ** 2
    wanted = {}
    for probe in probes:
        chosen = set(probe["answers"]["chosen"])
        for layer in probe["answers"]["layers"]:
            for place, image in enumerate(layer["image"]):
                if f"{layer['name']}/{place // layer['ranks']}" in chosen:
                    wanted[image] = True
        wanted |= dict.fromkeys(probe["loses"]["lost"])
    for probe in probes:
        wanted |= dict.fromkeys(probe["loses"]["image"][: probe["loses"]["table_images"]])
    for probe in probes:
        for layer in probe["answers"]["layers"]:
            wanted |= dict.fromkeys(layer["image"])
    images = image_file.read(images_path, "test", list(wanted)[:most])
    pictures = [sprites.thumbnail(image, THUMBNAIL_SIDE) for image in images.pixels]
    found = sprites.sprite(pictures, len(pictures[0]))
    return {"indices": images.indices.tolist(), "labels": images.labels.tolist(), **found}


def _curve(folder):
    table, selection = (
        tables.read(folder / "learning-curve.csv"),
        files.read_json(folder / "selection.json"),
    )
    records = [
        files.read_json(folder / f"training/epoch-{epoch:02d}.json") for epoch in table["epoch"]
    ]
    # More than one where a run was gone on with after an update.
    trained_by = dict.fromkeys(
        ", ".join(map(" ".join, record["versions"].items())) for record in records
    )
    return {
        "run": folder.name,
        "selection": selection,
        "trained_by": list(trained_by),
        **_table(table),
    }


def _table(table):
    """Columns and rows; a missing value is null."""
    values = table.astype(object).where(table.notna(), None)
    return {"columns": list(table.columns), "rows": values.to_numpy().tolist()}

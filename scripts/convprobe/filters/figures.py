"""What do its filters answer to? The chosen filters' figures, and an atlas of all."""

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from convprobe import style
from convprobe.filters.top_patches import cut
from convprobe.store import hdf5

SHOWN_PATCH = 36  # pixels a side, at least, of a patch in the atlas
PAGE = (5, 20)  # filters across and down
MOST_RANKS = 20  # that a figure shows of a filter: they are drawn one by one, about ten a second


def _drawn(rows: pd.DataFrame, table: str) -> tuple[pd.DataFrame, str]:
    """The rows of a table of top images that a figure shows, and words for the caption if it leaves some out."""
    ranks = rows["rank"].max()
    words = (
        f" Only {MOST_RANKS} of {ranks} ranks are drawn; {table} has all."
        if ranks > MOST_RANKS
        else ""
    )
    return rows[rows["rank"] <= MOST_RANKS], words


def top_patches(path, patches_path, top_images, run, checkpoint):
    """A column per filter, rows from the lowest rank at the top to the highest response below.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
        run, checkpoint: names, for the title.
    """
    top_images, left_out = _drawn(top_images, "top-images.csv")
    filters = list(top_images[["layer", "channel"]].drop_duplicates().itertuples(index=False))
    ranks = top_images["rank"].max()
    rows = top_images.set_index(["layer", "channel", "rank"])
    with hdf5.open_complete(patches_path) as file:
        figure = style.new(max(1.02 * len(filters) + 0.4, 5), 1.3 * ranks + 1.3)
        grid = figure.subplots(ranks, len(filters), squeeze=False)
        for column, (layer, channel) in enumerate(filters):
            patches = file[f"{layer}/{channel}"][:ranks]
            for axes in grid[:, column]:
                axes.set_axis_off()
            for rank, patch in enumerate(patches, start=1):
                axes, found = grid[ranks - rank, column], rows.loc[(layer, channel, rank)]
                if found["response"] == 0:  # the image is none that it answers to
                    axes.text(
                        0.5,
                        0.5,
                        "no\nresponse",
                        ha="center",
                        va="center",
                        color=style.GREY,
                        fontsize=7,
                    )
                    continue
                axes.set_axis_on()
                style.picture(axes, patch)
                axes.set_xlabel(
                    f"{found['class']}\n{found['response']:.3g}", fontsize=7, labelpad=1
                )
            grid[0, column].set_title(
                f"{layer}\n{channel}\n{patches.shape[1]}×{patches.shape[2]} px", fontsize=8
            )
        for row in range(ranks):
            rank = "highest" if row == ranks - 1 else f"{_ordinal(ranks - row)} highest"
            grid[row, 0].text(
                -0.05,
                0.5,
                rank,
                transform=grid[row, 0].transAxes,
                rotation=90,
                ha="right",
                va="center",
                fontsize=8,
            )
        figure.suptitle(f"What do its filters answer to? {run}, {checkpoint}")
        style.save(
            figure,
            path,
            "A column per filter: the patches that the peak of its map sees in the test images with the highest "
            "response (Frobenius norm of the map), the highest below. Each patch is enlarged to the same size. "
            "Under it: the image's class and the response. No response: the filter's map is 0 for all other images."
            f"{left_out}",
        )


def _ordinal(number):
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }".replace(" ", "")


def one_filter(path, images, maps, rows, field, run, checkpoint):
    """The images that one filter answers to most: what its peak sees, the patch and the map.

    Args:
        images: the image_file.Images, the highest response first.
        maps: float32 (image, y, x), of the filter after ReLU and pooling.
        rows: of `top-images.csv`, likewise.
        field: the layer's receptive_field.ReceptiveField.
        run, checkpoint: names, for the title.
    """
    rows, left_out = _drawn(rows, "top-images.csv")
    name, answered = (
        "/".join(map(str, rows.iloc[0][["layer", "channel"]])),
        rows[rows["response"] > 0],
    )
    figure = style.new(max(1.5 * len(rows) + 1, 5), 2.5 if answered.empty else 6)
    figure.suptitle(f"What does {name} answer to? {run}, {checkpoint}")
    if answered.empty:
        figure.text(0.5, 0.5, "Nothing: its map is 0 for every test image.", ha="center")
    else:
        _draw_answers(figure, images, maps, answered, field)
    clipped = ", grey where it sees padding" if answered["clipped"].any() else ""
    style.save(
        figure,
        path,
        f"The test images with the highest response of filter {name}, the highest first. "
        f"Box: the {field.size}×{field.size} pixels that the peak of the filter's map sees; below, the same "
        f"enlarged{clipped}; then the map after ReLU and pooling, its peak circled, on one scale for all. "
        f"Response: Frobenius norm of the map.{left_out}",
    )


def _draw_answers(figure, images, maps, rows, field):
    """A column an image: the image with the box, the patch, the map."""
    grid = figure.subplots(3, len(rows), squeeze=False)
    for column, row in enumerate(rows.itertuples()):
        whole, patch, answer = grid[:, column]
        pixels = images.pixels[column]
        style.picture(whole, pixels)
        edges = (row.left - 0.5, row.top - 0.5), row.right - row.left, row.bottom - row.top
        for colour, width in (("black", 3), ("white", 1.5)):
            whole.add_patch(
                Rectangle(*edges, fill=False, edgecolor=colour, linewidth=width, clip_on=False)
            )
        whole.set_title(f"{row.rank}. {images.classes[images.labels[column]]}")
        whole.set_xlabel(f"test image {row.image}", fontsize=8)
        style.picture(patch, cut(pixels, field, row.peak_y, row.peak_x))
        drawn = style.picture(answer, maps[column], cmap="viridis", vmin=0, vmax=maps.max())
        answer.plot(
            row.peak_x,
            row.peak_y,
            "o",
            markerfacecolor="none",
            markeredgecolor=style.ORANGE,
            markersize=9,
        )
        answer.set_xlabel(f"response {row.response:.3g}", fontsize=8)
    for axes, name in zip(grid[:, 0], ("image, box", "what the peak sees", "map"), strict=True):
        axes.set_ylabel(name)
    figure.colorbar(drawn, ax=grid[2], shrink=0.8, label="activation")


def atlas_page(path, images, rows, field, run, checkpoint):
    """A strip of patches for each of up to 100 filters, the highest response first.

    Args:
        images: the image_file.Images that the rows name, by increasing index.
        rows: of `all-top-images.csv`, of one layer.
        field: the layer's receptive_field.ReceptiveField.
        run, checkpoint: names, for the title.
    """
    rows, left_out = _drawn(rows, "all-top-images.csv")
    channels = rows["channel"].drop_duplicates().to_list()
    size, top = field.size, int(rows["rank"].max())
    shown = size * max(1, round(SHOWN_PATCH / size))
    across, down = PAGE[0], -(-len(channels) // PAGE[0])
    label, cell = 46, (shown + 2) * top + 10
    page = np.full((down * (shown + 4), across * (label + cell), 3), 255, dtype=np.uint8)
    place = {channel: divmod(number, across) for number, channel in enumerate(channels)}
    for row in rows[rows["response"] > 0].itertuples():
        y, x = place[row.channel]
        patch = cut(
            images.pixels[np.searchsorted(images.indices, row.image)], field, row.peak_y, row.peak_x
        )
        left = x * (label + cell) + label + (row.rank - 1) * (shown + 2)
        page[y * (shown + 4) :, left:][:shown, :shown] = patch.repeat(shown // size, 0).repeat(
            shown // size, 1
        )
    dots = style.STYLE["savefig.dpi"]
    figure = style.new(page.shape[1] / dots + 0.3, page.shape[0] / dots + 1)
    axes = figure.subplots()
    style.picture(axes, page)
    silent = rows.groupby("channel")["response"].max() == 0
    for channel, (y, x) in place.items():
        text = f"{channel}\nsilent" if silent[channel] else str(channel)
        axes.text(
            x * (label + cell) + label - 5,
            y * (shown + 4) + shown / 2,
            text,
            ha="right",
            va="center",
            fontsize=6,
        )
    layer = rows["layer"].iloc[0]
    clipped = "; grey where it sees padding" if rows["clipped"].any() else ""
    figure.suptitle(f"Filters {channels[0]} to {channels[-1]} of {layer}: {run}, {checkpoint}")
    style.save(
        figure,
        path,
        f"For each filter of {layer}, by its number, the patches of {size}×{size} pixels that the peak of its map sees "
        f"in the {top} test images with the highest response, the highest on the left{clipped}. Silent: 0 for every "
        f"image.{left_out}",
    )

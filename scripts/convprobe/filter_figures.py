"""What do its filters answer to? The chosen filters' figures, and an atlas of all."""

import numpy as np
from matplotlib.patches import Rectangle

from convprobe import figures, hdf5

SHOWN_PATCH = 36  # pixels a side, at least, of a patch in the atlas
PAGE = (5, 20)  # filters across and down


def top_patches(path, patches_path, top_images, run, checkpoint):
    """A column per filter, rows from the lowest rank at the top to the highest response below.

    Args:
        patches_path: a `patches.h5`.
        top_images: the table of `top-images.csv`.
        run, checkpoint: names, for the title.
    """
    filters = list(top_images[["layer", "channel"]].drop_duplicates().itertuples(index=False))
    ranks = top_images["rank"].max()
    rows = top_images.set_index(["layer", "channel", "rank"])
    with hdf5.open_complete(patches_path) as file:
        figure = figures.new(max(1.02 * len(filters) + 0.4, 5), 1.3 * ranks + 1.3)
        grid = figure.subplots(ranks, len(filters), squeeze=False)
        for column, (layer, channel) in enumerate(filters):
            patches = file[f"{layer}/{channel}"][:]
            for axes in grid[:, column]:
                axes.set_axis_off()
            for rank, patch in enumerate(patches, start=1):
                axes, found = grid[ranks - rank, column], rows.loc[(layer, channel, rank)]
                axes.set_axis_on()
                figures.picture(axes, patch)
                axes.set_xlabel(f"{found['class']}\n{found['response']:.3g}", fontsize=7, labelpad=1)
            grid[0, column].set_title(f"{layer}\n{channel}\n{patches.shape[1]}×{patches.shape[2]} px", fontsize=8)
        for row in range(ranks):
            grid[row, 0].set_ylabel("highest" if row == ranks - 1 else f"{_ordinal(ranks - row)} highest", fontsize=8)
        figure.suptitle(f"What do its filters answer to? {run}, {checkpoint}")
        figures.save(
            figure,
            path,
            "A column per filter: the patches that the peak of its map sees in the test images with the highest "
            "response (Frobenius norm of the map), the highest below. Each patch is enlarged to the same size. "
            "Under it: the image's class and the response.",
        )


def _ordinal(number):
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }".replace(" ", "")


def one_filter(path, images, maps, rows, run, checkpoint):
    """The images that one filter answers to most: what its peak sees, the patch and the map.

    Args:
        images: the datasets.Images, the highest response first.
        maps: float32 (image, y, x), of the filter after ReLU and pooling.
        rows: of `top-images.csv`, likewise.
        run, checkpoint: names, for the title.
    """
    figure = figures.new(max(1.5 * len(rows) + 1, 5), 6)
    grid = figure.subplots(3, len(rows), squeeze=False)
    top = max(float(maps.max()), np.finfo(np.float32).tiny)
    for column, row in enumerate(rows.itertuples()):
        whole, patch, answer = grid[:, column]
        pixels = images.pixels[column]
        figures.picture(whole, pixels)
        edges = (row.left - 0.5, row.top - 0.5), row.right - row.left, row.bottom - row.top
        for colour, width in (("black", 3), ("white", 1.5)):
            whole.add_patch(Rectangle(*edges, fill=False, edgecolor=colour, linewidth=width, clip_on=False))
        whole.set_title(f"{row.rank}. {images.classes[images.labels[column]]}")
        whole.set_xlabel(f"test image {row.image}", fontsize=8)
        figures.picture(patch, pixels[row.top : row.bottom, row.left : row.right])
        drawn = figures.picture(answer, maps[column], cmap="viridis", vmin=0, vmax=top)
        answer.plot(row.peak_x, row.peak_y, "o", markerfacecolor="none", markeredgecolor=figures.ORANGE, markersize=9)
        answer.set_xlabel(f"response {row.response:.3g}", fontsize=8)
    for axes, name in zip(grid[:, 0], ("image, box", "what the peak sees", "map"), strict=True):
        axes.set_ylabel(name)
    figure.colorbar(drawn, ax=grid[2], shrink=0.8, label="activation")
    first = rows.iloc[0]
    figure.suptitle(f"What does {first['layer']}/{first['channel']} answer to? {run}, {checkpoint}")
    size = first["bottom"] - first["top"]
    figures.save(
        figure,
        path,
        f"The test images with the highest response of filter {first['layer']}/{first['channel']}, the highest first. "
        f"Box: the {size}×{size} pixels that the peak of the filter's map sees; below, the same enlarged; then the "
        "map after ReLU and pooling, its peak circled, on one scale for all. Response: Frobenius norm of the map.",
    )


def atlas_page(path, images, rows, run, checkpoint):
    """A strip of patches for each of up to 100 filters, the highest response first.

    Args:
        images: the datasets.Images that the rows name, by increasing index.
        rows: of `all-top-images.csv`, of one layer.
        run, checkpoint: names, for the title.
    """
    channels = rows["channel"].drop_duplicates().to_list()
    size, top = int((rows["bottom"] - rows["top"]).max()), int(rows["rank"].max())
    shown = size * max(1, round(SHOWN_PATCH / size))
    across, down = PAGE[0], -(-len(channels) // PAGE[0])
    label, cell = 46, (shown + 2) * top + 10
    page = np.full((down * (shown + 4), across * (label + cell), 3), 255, dtype=np.uint8)
    place = {channel: divmod(number, across) for number, channel in enumerate(channels)}
    for row in rows.itertuples():
        y, x = place[row.channel]
        patch = images.pixels[np.searchsorted(images.indices, row.image), row.top : row.bottom, row.left : row.right]
        patch = patch.repeat(shown // size, axis=0).repeat(shown // size, axis=1)
        left = x * (label + cell) + label + (row.rank - 1) * (shown + 2)
        page[y * (shown + 4) :, left:][: len(patch), : patch.shape[1]] = patch
    dots = figures.STYLE["savefig.dpi"]
    figure = figures.new(page.shape[1] / dots + 0.3, page.shape[0] / dots + 1)
    axes = figure.subplots()
    figures.picture(axes, page)
    silent = rows.groupby("channel")["response"].max() == 0
    for channel, (y, x) in place.items():
        text = f"{channel}\nsilent" if silent[channel] else str(channel)
        axes.text(
            x * (label + cell) + label - 5, y * (shown + 4) + shown / 2, text, ha="right", va="center", fontsize=6
        )
    layer = rows["layer"].iloc[0]
    figure.suptitle(f"Filters {channels[0]} to {channels[-1]} of {layer}: {run}, {checkpoint}")
    figures.save(
        figure,
        path,
        f"For each filter of {layer}, by its number, the patches of {size}×{size} pixels that the peak of its map sees "
        f"in the {top} test images with the highest response, the highest on the left. Silent: 0 for every image.",
    )

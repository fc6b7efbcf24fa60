"""What the probes find at several epochs of a run, a row an epoch."""

from convprobe import style
from convprobe.store import hdf5

IMAGES = 4  # of which maps are drawn


def shown_images(maps_path):
    """Indices of the images of which maps are drawn: the first ones."""
    with hdf5.open_complete(maps_path) as file:
        return file["image"][:IMAGES].tolist()


def draw(path, images, map_paths, patch_paths, top_images, run):
    """Maps of the largest window, and the patch of the highest response of each chosen filter.

    Args:
        images: the image_file.Images of `shown_images`.
        map_paths, patch_paths: window files and `patches.h5`, one an epoch.
        top_images: tables of `top-images.csv`, with the epochs' names as first level of the index.
        run: its name, for the title.
    """
    epochs = list(top_images.index.unique(0))
    filters = list(top_images[["layer", "channel"]].drop_duplicates().itertuples(index=False))
    columns = len(images.indices) + len(filters)
    figure = style.new(1.15 * columns + 1, 1.4 * (len(epochs) + 1) + 1)
    grid = figure.subplots(len(epochs) + 1, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, pixels, label in zip(grid[0], images.pixels, images.labels, strict=False):
        style.picture(axes, pixels)
        axes.set_axis_on()
        axes.set_title(images.classes[label], fontsize=8)
    for axes, (layer, channel) in zip(grid[1, len(images.indices) :], filters, strict=True):
        axes.set_title(f"{layer}\n{channel}", fontsize=8)
    for row, epoch in enumerate(epochs):
        window, drawn = _draw_maps(grid[row + 1], map_paths[row], len(images.indices))
        grid[row + 1, 0].set_ylabel(epoch)
        rows = top_images.loc[epoch].query("rank == 1").set_index(["layer", "channel"])
        _draw_patches(grid[row + 1, len(images.indices) :], patch_paths[row], filters, rows)
    bar = figure.colorbar(drawn, ax=grid[:, -1], shrink=0.6, ticks=[0, 0.5, 1])
    bar.set_label("probability of the true class")
    figure.suptitle(f"Through training: what run {run} looks at, and what its filters answer to")
    style.save(
        figure,
        path,
        f"Left, under each image: the probability of its true class with a grey window of {window}×{window} pixels "
        "centred at each pixel; below, its mean, and that without a window. Right: of each chosen filter what its peak "
        "sees in the test image with the highest response, and that image's class; no response: its map is 0 for all "
        "of them. A row an epoch.",
    )


def _draw_maps(axes_row, map_path, count):
    with hdf5.open_complete(map_path) as file:
        clean = file["clean_probability"][:]
        for image, label in enumerate(file["label"][:count]):
            axes, confidence = axes_row[image], file["confidence"][image]
            axes.set_axis_on()
            drawn = style.picture(axes, confidence, cmap="viridis", vmin=0, vmax=1)
            axes.set_xlabel(f"{confidence.mean():.2f} of {clean[image, label]:.2f}", fontsize=7)
        return file.attrs["window"], drawn


def _draw_patches(axes_row, patches_path, filters, rows):
    with hdf5.open_complete(patches_path) as file:
        for axes, name in zip(axes_row, filters, strict=True):
            found = rows.loc[tuple(name)]
            if found["response"] == 0:  # the image is none that it answers to
                axes.text(
                    0.5, 0.5, "no\nresponse", ha="center", va="center", color=style.GREY, fontsize=7
                )
                continue
            axes.set_axis_on()
            style.picture(axes, file[f"{name.layer}/{name.channel}"][0])
            axes.set_xlabel(found["class"], fontsize=7)

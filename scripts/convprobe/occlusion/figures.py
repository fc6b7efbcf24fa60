"""Where does it look? The sheets of maps, as published."""

from convprobe import style
from convprobe.occlusion.sheets import SHEET_IMAGES
from convprobe.store import hdf5


def occlusion_sheet(path, images, map_paths, run, checkpoint):
    """Four images on top, then a row of confidence maps per window, as published.

    Args:
        images: the image_file.Images on this sheet.
        map_paths: window files, the smallest window first.
        run, checkpoint: names, for the title.
    """
    figure = style.new(1.55 * SHEET_IMAGES + 0.9, 1.62 * (len(map_paths) + 1) + 1)
    grid = figure.subplots(len(map_paths) + 1, SHEET_IMAGES, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for column, (pixels, label, image) in enumerate(
        zip(images.pixels, images.labels, images.indices, strict=True)
    ):
        grid[0, column].set_axis_on()
        style.picture(grid[0, column], pixels)
        grid[0, column].set_title(f"{images.classes[label]}\ntest image {image}")
    for axes_row, map_path in zip(grid[1:], map_paths, strict=True):
        drawn = _draw_maps(axes_row, map_path, images.indices)
    bar = figure.colorbar(drawn, ax=grid[1:], shrink=0.6, ticks=[0, 0.25, 0.5, 0.75, 1])
    bar.set_label("probability of the true class")
    figure.suptitle(f"Where does it look? {run}, {checkpoint}")
    style.save(
        figure,
        path,
        "Each pixel of a map is the probability of the true class while a grey window is centred there; dark "
        "is where covering the image takes the belief away. Under each map: its mean, and the probability "
        "without a window.",
    )


def _draw_maps(axes_row, map_path, wanted):
    with hdf5.open_complete(map_path) as file:
        place = {image: row for row, image in enumerate(file["image"][:])}
        window, labels = file.attrs["window"], file["label"][:]
        for column, image in enumerate(wanted):
            row, axes = place[image], axes_row[column]
            confidence = file["confidence"][row]
            axes.set_axis_on()
            drawn = style.picture(axes, confidence, cmap="viridis", vmin=0, vmax=1)
            axes.set_xlabel(
                f"{confidence.mean():.2f} of {file['clean_probability'][row, labels[row]]:.2f}",
                fontsize=8,
            )
        axes_row[0].set_ylabel(f"window {window}×{window}")
    return drawn

"""The files of the filters: what do they answer to?"""

from convprobe.filters.pages import PAGE_FILTERS
from convprobe.store.outputs import Dataset, Figure, Hdf5, Table

CATEGORY = "2 What do its filters answer to?"
TOP_IMAGES_COLUMNS = {
    "layer": "name of the layer; one that is used again has its number behind it, as in `conv-2`",
    "channel": "the filter's number in its layer, from 0",
    "rank": "1 for the image with the highest response",
    "image": "its index among the test images",
    "class": "the true one",
    "response": "Frobenius norm of the filter's map, to seven digits",
    "peak_y": "row of the map's first maximum but for rounding (0.0001 of it), in units of the map",
    "peak_x": "column of the map's first maximum",
    "top": "first row of pixels that the peak sees",
    "left": "first column of pixels that the peak sees",
    "bottom": "the row after the last one that it sees; the image's height if it sees all rows",
    "right": "the column after the last one that it sees; the image's width if it sees all",
    "clipped": "whether the peak sees padding too, which makes the box smaller; false where units "
    "don't see places at regular distances",
}
ACTIVATIONS = Hdf5(
    "filters/activations.h5",
    about="The maps of each chosen filter, in a group of its name, such as `conv2/400`. The "
    "kernels of the first layer are here too, in the layer's group, if it is given the image: the "
    "job has them at hand.",
    tab="filters",
    shown=True,
    datasets={
        "{layer}/{channel}/maps": Dataset(
            "float32",
            "image, y, x",
            "the filter's channel behind the batch normalisation, activation and pooling that "
            "follow its convolution",
        ),
        "{layer}/{channel}/response": Dataset("float32", "image", "their Frobenius norm"),
        "{layer}/kernels": Dataset(
            "float32",
            "filter, y, x, channel",
            "weights of all filters of the first layer, by which normalised pixels are multiplied",
            optional=True,
        ),
    },
    attributes={"checkpoint_sha256": "digest of the checkpoint that was probed"},
)
TOP_IMAGES = Table(
    "filters/top-images.csv",
    about="The images with the highest response, of each chosen filter.",
    tab="filters",
    columns=TOP_IMAGES_COLUMNS,
)
QUANTILE_IMAGES = Table(
    "filters/quantile-images.csv",
    about="Images over the whole range of responses, of each chosen filter: also what it doesn't "
    "answer to.",
    tab="filters",
    shown=True,
    columns={
        "layer": "as above",
        "channel": "likewise",
        "quantile": "a quantile of the responses to all test images, from 1, the highest, to 0",
        "image": "index of the test image whose response is nearest to that quantile, of equally "
        "near ones the lowest",
        "class": "the true one",
        "response": "as above",
    },
)
PATCHES = Hdf5(
    "filters/patches.h5",
    about="What the peaks see in those images, of each chosen filter.",
    datasets={
        "{layer}/{channel}": Dataset(
            "uint8",
            "rank, y, x, channel",
            "pixels of the box, grey where the peak sees padding; where it may see more than the "
            "image, the image, grey beyond the box",
        ),
    },
    attributes={"image_shape": "height and width of the images"},
)
ALL_TOP_IMAGES = Table(
    "filters/all-top-images.csv",
    about="The images with the highest response, of every filter of every layer.",
    tab="filters",
    shown=True,
    columns=TOP_IMAGES_COLUMNS,
)
PATCHES_FIGURE = Figure(
    "filters/top-patches",
    about="One column per chosen filter, the highest response on top, or with "
    "`figures.as_published` at the bottom. This figure and the next ones show no more than 20 "
    "ranks.",
    tab="filters",
    caption="top-patches",
    category=CATEGORY,
    labels={"figure": "1 top patches of the chosen filters"},
)
FILTER_FIGURE = Figure(
    "filters/{layer}/{channel}",
    about="The top images of one chosen filter with the box, the patch enlarged, and the map.",
    tab="filters",
    caption="filter",
    category=CATEGORY,
    labels={"figure": "2 {layer}/{channel}"},
)
ATLAS = Figure(
    "filters/atlas/{layer}-{page}",
    about=f"The patches of every filter, {PAGE_FILTERS} filters on each page.",
    tab="atlas",
    caption="atlas",
    category=CATEGORY,
    labels={"figure": "3 all of {layer}, page {page}"},
)

OF_PROBE = (
    ACTIVATIONS,
    TOP_IMAGES,
    QUANTILE_IMAGES,
    PATCHES,
    ALL_TOP_IMAGES,
    PATCHES_FIGURE,
    ATLAS,  # before the next one, which its names would match too
    FILTER_FIGURE,
)

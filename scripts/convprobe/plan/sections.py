"""The config's sections: types, bounds, defaults and descriptions, each given once, here.

`schemas/config.schema.json` is generated from these models (`plan.schema`), and a config is checked
against that file: so a plan builds no models, and an editor can check a config as it is typed.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from convprobe.dataset.kinds import KINDS
from convprobe.network.chain import Stage

LONGEST_NAME = 100  # characters: with what is added to it, the name of a file has at most 255
NAME = rf"^[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST_NAME - 1}}}$(?!\n)"
RUN_OR_EPOCH = r"^[A-Za-z0-9][A-Za-z0-9_-]*(/epoch-0*[1-9][0-9]{0,5})?$(?!\n)"
FILTER = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*/(0|[1-9][0-9]{0,8})$(?!\n)"
PATH = r"^[^\x00-\x1f\x7f\ud800-\udfff]+$(?!\n)"
FACTORY = r"^[^:{}\n]+:[A-Za-z_][A-Za-z0-9_]*$(?!\n)"
LARGEST_EPOCH = 999_999  # RUN_OR_EPOCH has as many digits
LARGEST_SEED = 2**32 - 1
STAGE: dict[str, Any] = Stage._field_defaults
ABOUT = "; ".join(f"{kind.name}: {kind.about}" for kind in KINDS.values()) + "."
PATH_ABOUT = "; ".join(f"{kind.name}: {kind.path_about}" for kind in KINDS.values()) + "."


def expected(words: str, **more: object) -> dict[str, object]:
    """What a message says is expected, where the type and the bounds don't say it well."""
    return {"x-expected": words, **more}


Count = Annotated[int, Field(ge=1)]
Side = Annotated[int, Field(ge=1, le=4096)]
CountOrAll = Annotated[
    Count | Literal["all"],
    Field(json_schema_extra=expected("a whole number of at least 1, or all")),
]
NAME_FORM = f"a name of at most {LONGEST_NAME} letters, digits, - and _"
Name = Annotated[str, Field(pattern=NAME, json_schema_extra=expected(NAME_FORM))]
ClassNames = Annotated[list[Annotated[str, Field(pattern=PATH)]], Field(min_length=1)]
PathText = Annotated[str, Field(pattern=PATH)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Precision = Literal["fp32", "bf16"]
Mean = Annotated[float, Field(ge=0, le=1, description="Of one channel, in [0, 1].")]
Deviation = Annotated[float, Field(gt=0, le=1, description="Of one channel.")]
THREE = expected("a list of three numbers, of red, green and blue")


class Section(BaseModel):
    """A part of the config; a field that may be None is a key that may be left out."""

    # Python's own regular expressions know (?!…); a name that ends in a line break is refused.
    model_config = ConfigDict(extra="forbid", regex_engine="python-re")


class Split(Section):
    """For an image-folder without folders train and test: how the test images are drawn."""

    test_share: float = Field(gt=0, lt=1, description="Share of each class.")
    seed: Seed = Field(0, description="Seed of the draw.")


class Dataset(Section):
    """The images."""

    name: Literal[*KINDS] = Field(description=ABOUT)
    path: PathText = Field(
        "resources/cifar10",
        description=f"Where the images lie, or are downloaded to. {PATH_ABOUT}",
        json_schema_extra=expected("a path"),
    )
    train_images: CountOrAll = Field("all", description="The first N training images, or all.")
    test_images: CountOrAll = Field("all", description="The first N test images, or all.")
    image_size: Side | Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="For an image-folder: height and width in pixels to which the middle part of "
        "each image, of that aspect ratio, is scaled; one number for a square. Without it, images "
        "are not scaled and must be of one size.",
        json_schema_extra=expected(
            "the side of a square in pixels, from 1 to 4096, or [height, width]"
        ),
    )
    split: Split | None = None
    classes: ClassNames | None = Field(
        None,
        description="For an image-folder: the names of the classes, in the order of the network's "
        "outputs. Without it, these are the folders' names, sorted. Needed where the network has "
        "classes of which there are no images.",
        json_schema_extra=expected("a list of names, each once", uniqueItems=True),
    )
    validation_images: int = Field(
        0,
        ge=0,
        description="How many of the training images, counted from the last one, are held out to "
        "select the epoch on; of an image-folder each class gives its last ones, in proportion.",
    )


class Convolution(Section):
    """A convolution, then batch normalisation if asked for, ReLU and max pooling."""

    channels: int = Field(ge=1, description="Number of filters.")
    kernel: int = Field(ge=1, description="Side of the filters, in pixels of their input.")
    stride: int = Field(
        STAGE["stride"], ge=1, description="Step of the filters, in pixels of their input."
    )
    padding: int = Field(
        STAGE["padding"], ge=0, description="Width of the border of zeros, in pixels."
    )
    pool: int = Field(
        STAGE["pool"], ge=1, description="Side and stride of the max pooling; 1 for none."
    )
    batch_norm: bool = Field(
        STAGE["batch_norm"], description="Whether batch normalisation comes before ReLU."
    )


class Layers(Section):
    """A plain network: convolutions, each with ReLU and max pooling; then fully connected layers.

    A config file that gives them takes the place of an earlier one's `factory`.
    """

    # What a message may suggest as well.
    model_config = ConfigDict(json_schema_extra={"x-also": ["factory", "arguments"]})

    conv: list[Convolution] = Field(
        min_length=1,
        description="The convolutions, first to last.",
        json_schema_extra=expected(
            "a list of at least one convolution, as in {channels: 256, kernel: 5}"
        ),
    )
    fc: list[Annotated[int, Field(ge=1, description="Width of a layer.")]] = Field(
        description="Widths of the fully connected layers, without the last one, which has one "
        "output per class."
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the inputs of each fully connected layer that is dropped at random "
        "in training.",
    )


class Factory(Section):
    """A network that a function in Python makes.

    A config file that gives it takes the place of an earlier one's layers, or factory with its
    arguments.
    """

    factory: str = Field(
        pattern=FACTORY,
        description="The function: package.module:function of an installed package, or "
        "file.py:function of a file beside the config file. It returns a torch.nn.Module that maps "
        "images (image, channel, y, x) to logits (image, class).",
        json_schema_extra=expected(
            "package.module:function, as in torchvision.models:resnet18, or file.py:function"
        ),
    )
    arguments: dict[str, Any] = Field({}, description="What the function is called with, by name.")


def _form_of_network(network: Any) -> str:
    is_factory = isinstance(network, Factory) or "factory" in network
    return "factory" if is_factory else "layers"


class Optimizer(Section):
    """Stochastic gradient descent with momentum."""

    name: Literal["sgd"] = Field("sgd", description="The method.")
    learning_rate: float = Field(0.05, gt=0, description="Step size.")
    momentum: float = Field(
        0.9, ge=0, lt=1, description="Share of the last step that is added to the next."
    )
    weight_decay: float = Field(0.0005, ge=0, description="L2 penalty on all weights and biases.")


class Normalisation(Section):
    """What a run's weights were trained with. If it is missing, that of the training images."""

    mean: list[Mean] = Field(
        min_length=3,
        max_length=3,
        description="Mean of the pixels, as shares of 255.",
        json_schema_extra=THREE,
    )
    std: list[Deviation] = Field(
        min_length=3,
        max_length=3,
        description="Standard deviation of the pixels, as shares of 255.",
        json_schema_extra=THREE,
    )


class Training(Section):
    """How runs are trained; each run may override any key."""

    epochs: Annotated[int, Field(ge=1, le=LARGEST_EPOCH)] | None = Field(
        None,
        description="How many times every training image is seen.",
        json_schema_extra=expected(f"a whole number from 1 to {LARGEST_EPOCH}"),
    )
    batch_size: int = Field(128, ge=1, description="Images per step.")
    optimizer: Optimizer = Optimizer()
    schedule: Literal["constant", "linear", "cosine"] = Field(
        "linear",
        description="How the learning rate decays to 0 over the run: not at all, linearly, or "
        "along half a cosine.",
    )
    augmentation: Literal["none", "flip", "flip-crop"] = Field(
        "none",
        description="How training images are changed at random: not at all, by left-right flips, "
        "or by flips and shifts of up to 4 pixels.",
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of each label that is spread evenly over all classes in training "
        "(Szegedy et al. 2016).",
    )
    normalise: bool = Field(
        True,
        description="Whether pixels are normalised by the mean and deviation of the training "
        "images.",
    )
    precision: Precision = Field(
        "bf16",
        description="Arithmetic of training: float32, or bfloat16 by autocast with float32 "
        "weights.",
    )
    seed: Seed = Field(0, description="Seed of the initial weights and of every random draw.")
    seeds: list[Seed] | None = Field(
        None,
        min_length=1,
        description="Only of a run, in place of seed: the run is trained once with each of them, "
        "as runs NAME-seed-N. In studied and compared NAME stands for all of these, and the "
        "reproduction card says how far they differ.",
        json_schema_extra=expected("a list of at least one seed, each once", uniqueItems=True),
    )
    keep_optimizer: (
        Literal["all", "last"]
        | Annotated[
            list[Annotated[int, Field(ge=1)]], Field(json_schema_extra={"uniqueItems": True})
        ]
    ) = Field(
        "all",
        description="After which epochs the state of the optimizer, which is about as large as the "
        "weights, stays on the disk once the run is trained: all, the last one, or a list, [] for "
        "none. It is needed only to train the epoch after it.",
        json_schema_extra=expected("all, last, or a list of epochs ([5, 10])"),
    )
    weights: PathText | None = Field(
        None,
        description="Only of a run: a .pth or .safetensors with a state dict of the configured "
        "network, in place of training.",
        json_schema_extra=expected("the path of a .pth or .safetensors"),
    )
    normalisation: Normalisation | None = None


class Selection(Section):
    """Which epoch's weights are probed."""

    policy: Literal["fixed", "best"] = Field(
        description="fixed: the given epoch; best: the one with the highest accuracy on a split."
    )
    epoch: int = Field(13, ge=1, description="The epoch, for policy fixed.")
    split: Literal["validation", "test"] = Field(
        "validation",
        description="The split, for policy best. If it is test, the accuracy on test is no longer "
        "a fair estimate.",
    )


class Occlusion(Section):
    """Where does it look?"""

    windows: list[Annotated[int, Field(ge=1, description="Side of a window.")]] = Field(
        [3, 5, 7, 9],
        min_length=1,
        description="Sides of the windows, in pixels; odd.",
        json_schema_extra=expected("a list of odd numbers, each once", uniqueItems=True),
    )
    images: (
        Count
        | Annotated[
            list[Annotated[int, Field(ge=0)]],
            Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        ]
        | Literal["all"]
    ) = Field(
        20,
        description="Which test images: the first N, a list of indices, or all.",
        json_schema_extra=expected("how many (20), a list of indices ([0, 7, 12]), or all"),
    )
    fill: int = Field(
        128,
        ge=0,
        le=255,
        description="Grey level of the window; it is normalised as the image is.",
        json_schema_extra=expected("a grey level from 0 to 255"),
    )
    stride: int = Field(
        1,
        ge=1,
        description="From one position of the window to the next, in pixels, from the middle of "
        "the first stride on. 1: at every pixel; 8: at every eighth, for large images. It takes "
        "1 / stride² of the forward passes.",
    )
    precision: Precision = Field(
        "fp32", description="Arithmetic of the network while the image is occluded."
    )


class Filters(Section):
    """What do its filters answer to?"""

    chosen: list[
        Annotated[
            str,
            Field(
                pattern=FILTER,
                description="A filter.",
                json_schema_extra=expected(
                    "a filter as in conv2/400: layer, slash, channel from 0"
                ),
            ),
        ]
    ] = Field(
        description="The filters, as layer/channel, counted from 0. The ablation switches them off "
        "together. [] only for a factory's network without a layer whose filters have maps (height "
        "and width): then filters and ablation are left out.",
        json_schema_extra=expected(
            "a list of filters as in conv2/400, each once", uniqueItems=True
        ),
    )
    top: int = Field(5, ge=1, description="How many images with the highest response are shown.")


class Ablation(Section):
    """What does it lose without the chosen filters?"""

    mode: Literal["zero", "weights-only", "mean"] = Field(
        "zero",
        description="What replaces the map of a filter that is switched off. zero: 0, as if its "
        "weights and bias were 0; weights-only: what its bias alone gives, as if only its weights "
        "were 0; mean: its mean map over the test images.",
    )
    table_images: int = Field(
        1000,
        ge=1,
        description="How many of the first test images are listed with their clean and ablated "
        "predictions.",
    )
    random_controls: int = Field(
        20,
        ge=0,
        description="How many times as many random filters of the same layers are switched off, to "
        "compare the loss with.",
    )


class Figures(Section):
    """How figures are drawn; nothing that is computed is stale by it."""

    captions: bool = Field(
        True,
        description="Whether title and caption stand in the pictures. false: for a paper, which "
        "has its own; both stay in the text beside each picture.",
    )
    as_published: bool = Field(
        False,
        description="Whether top patches stand in the published order, the highest response at "
        "the bottom, and not on top.",
    )


class Config(Section):
    """What is trained, and what it is asked. Missing keys have the defaults given here."""

    experiment: Name = Field(description="Name of the folder under results/ for all files.")
    dataset: Dataset
    network: Annotated[
        Annotated[Layers, Tag("layers")] | Annotated[Factory, Tag("factory")],
        Discriminator(_form_of_network),
    ] = Field(description="The network: its layers, or a function that makes it.")
    training: Training = Field(json_schema_extra={"required": ["epochs"]})
    runs: dict[Name, Training] = Field(
        min_length=1,
        description="The runs, by name. Each is trained, with any key of training overridden, or "
        "has weights from elsewhere.",
        json_schema_extra=expected("a mapping with at least one run"),
    )
    studied: list[
        Annotated[
            str,
            Field(
                pattern=RUN_OR_EPOCH,
                description="A run, or one of its epochs.",
                json_schema_extra=expected("a run, or one of its epochs as in normalised/epoch-5"),
            ),
        ]
    ] = Field(
        min_length=1,
        description="Runs whose selected epoch is probed; RUN/epoch-N probes another epoch of the "
        "run as well. A list, so that a second config file can replace it.",
        json_schema_extra=expected("a list of at least one run, each once", uniqueItems=True),
    )
    compared: list[Annotated[str, Field(description="Name of a run.")]] = Field(
        description="Runs that only get a learning curve.",
        json_schema_extra=expected("a list of runs, each once", uniqueItems=True),
    )
    selection: Selection
    occlusion: Occlusion
    filters: Filters
    ablation: Ablation = Ablation()
    figures: Figures = Figures()

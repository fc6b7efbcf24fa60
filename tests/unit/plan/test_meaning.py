"""Keys that contradict each other, or what is on the disk."""

from pathlib import Path

import pytest
import yaml
from shipped_configs import BASE, SCHEMA, edit, lines, with_preset, write_names

from convprobe.errors import InputError
from convprobe.network import chain
from convprobe.plan import config as configs
from convprobe.plan import study

pytestmark = pytest.mark.usefixtures("empty_folder")


def test_a_network_that_leaves_nothing_of_the_image():
    change = (
        "network: {conv: [{channels: 4, kernel: 5}, {channels: 4, kernel: 14}]}\n"
        "filters: {chosen: [conv1/0]}"
    )
    assert edit(change) == [
        "own: network.conv[1] is a 14×14 convolution and 2×2 pooling, but its input is 14×14: "
        "that leaves nothing. Expected fewer layers or smaller kernels"
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "occlusion: {images: [0, 59, 60, 999]}",
            [
                "occlusion.images[2] is 60, but the test images are 0 to 59",
                "occlusion.images[3] is 999, but the test images are 0 to 59",
            ],
        ),
        ("occlusion: {images: 61}", ["occlusion.images is 61, but 60 images are tested"]),
        ("ablation: {table_images: 61}", ["ablation.table_images is 61, but 60 images are tested"]),
        ("dataset: {test_images: 61}", ["dataset.test_images is 61, but pictures.zip has 60"]),
        (
            "dataset: {test_images: 20}",
            [
                "occlusion.images is 60, but 20 images are tested",
                "ablation.table_images is 60, but 20 images are tested",
            ],
        ),
        ("dataset: {train_images: 101}", ["dataset.train_images is 101, but pictures.zip has 100"]),
        (
            "dataset: {validation_images: 100}",
            [
                "dataset.validation_images is 100, held out of 100 training images: "
                "that leaves nothing to train on"
            ],
        ),
        (
            "dataset: {split: {test_share: 0.5, seed: 0}}",
            [
                "dataset.path is pictures.zip: has folders train and test, of which dataset.split "
                "would draw the test images anew: expected either these folders or dataset.split"
            ],
        ),
        (
            "dataset: {train_images: 100, validation_images: 99, test_images: 60}\n"
            "occlusion: {images: [59]}",
            [],
        ),
    ],
)
def test_one_s_own_images_are_counted_before_anything_runs(change, told):
    write_names("pictures.zip", train=100, test=60)
    check_own(change, told)


def check_own(change, told):
    """Check a study of `pictures.zip` with a change to its config."""
    own = (
        "dataset: {name: image-folder, path: pictures.zip}\n"
        "occlusion: {images: 60}\n"
        "ablation: {table_images: 60}"
    )
    config = with_preset()[0]
    for text in (own, change):
        config = configs.merged(config, yaml.safe_load(text))
    if told:
        assert lines(config) == [f"config: {line}" for line in told]
    else:
        configs.checked(config, SCHEMA)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("{}", []),
        ("occlusion: {images: 81}", ["occlusion.images is 81, but 80 images are tested"]),
    ],
)
def test_one_s_own_images_that_are_split_are_counted_too(change, told):
    write_names("pictures.zip", pictures=160)
    check_own("dataset: {split: {test_share: 0.5, seed: 0}}\n" + change.replace("{}", ""), told)


def test_images_that_lie_otherwise_than_expected_are_reported_with_the_other_mistakes():
    write_names("pictures.zip", train=9)
    assert edit(
        "dataset: {name: image-folder, path: pictures.zip}\nocclusion: {windows: [3, 4]}"
    ) == [
        "own: dataset.path is pictures.zip: no image at test/CLASS/NAME, "
        "expected files that end in .jpg, .jpeg, .png, .bmp, .gif, .webp",
        "own: occlusion.windows[1] is 4, but a window is centred on a pixel: give an odd side "
        "(3, 5, 7 …)",
    ]


WIDE = "test/a/0.png"


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        (
            [(32, 32, "test/b/1.png"), (24, 40, WIDE)],
            f"32×32 pixels (test/b/1.png) and 40×24 pixels ({WIDE})",
        ),
        (
            [(32, 32, "test/b/1.png"), (24, 24, WIDE)],
            f"32×32 pixels (test/b/1.png) and 24×24 pixels ({WIDE})",
        ),
    ],
)
def test_images_that_cannot_be_taken_as_they_are_are_refused_before_anything_runs(sizes, found):
    write_names("pictures.zip", train=4, test=4)
    own = (
        "dataset: {name: image-folder, path: pictures.zip%s}\n"
        "occlusion: {images: 1}\n"
        "ablation: {table_images: 1}"
    )

    def checked(change, sizes):
        config = configs.merged(with_preset()[0], yaml.safe_load(own % change))
        return configs.checked(config, SCHEMA, read_sizes=lambda path: sizes)

    with pytest.raises(InputError) as error:
        checked("", sizes)
    assert str(error.value) == (
        f"config: dataset.path is pictures.zip, with images of {found}: expected all of one "
        "size, or dataset.image_size, to which the middle of each is scaled"
    )
    checked(", image_size: 32", sizes)
    assert "image_size" not in checked("", [(32, 32, WIDE)])["dataset"]


@pytest.mark.parametrize(
    ("given", "size", "kept"),
    [("", (24, 40), None), (", image_size: [32, 48]", (32, 48), [32, 48])]
    + [(f", image_size: {given}", (32, 32), 32) for given in ("32", "[32, 32]")],
)
def test_the_size_of_a_user_s_own_images_is_found_or_given(given, size, kept):
    write_names("pictures.zip", train=4, test=4)
    own = f"""
dataset: {{name: image-folder, path: pictures.zip{given}}}
network: {{conv: [{{channels: 4, kernel: 3}}], fc: []}}
filters: {{chosen: [conv1/1]}}
occlusion: {{images: 1, windows: [3, 25]}}
ablation: {{table_images: 1}}
"""

    def checked(own):
        config = configs.merged(with_preset()[0], yaml.safe_load(own))
        return configs.checked(config, SCHEMA, read_sizes=lambda path: [(24, 40, "a/1.png")])

    if not kept:
        with pytest.raises(InputError) as error:
            checked(own)
        images = "config: occlusion.windows[1] is 25, but the images are 40×24 pixels"
        assert str(error.value) == images
        own = own.replace(", 25", "")
    config = checked(own)
    assert study.image_size(config) == size
    assert config["dataset"].get("image_size") == kept
    assert "image_size" not in study.shown(config)


@pytest.mark.parametrize("path", ["results/cifar10/raw/checkpoints/epoch-01.pth", "latest.pth"])
def test_what_an_experiment_writes_is_not_read_by_itself(path):
    """It would be read before it is written anew; another experiment's files may be."""
    written = Path("results/cifar10/raw/checkpoints/epoch-01.pth")
    written.parent.mkdir(parents=True)
    written.touch()
    Path("latest.pth").symlink_to(written)
    change = f"runs: {{own: {{weights: {path}}}}}"
    assert edit(change) == [
        f"own: runs.own.weights is {path}, which this experiment writes itself: expected a path "
        "outside results/cifar10"
    ]
    assert "own" in check(f"{{experiment: other, {change}}}")["runs"]


@pytest.mark.parametrize(
    "path", ["renamed.gz", "notes.txt/data", "unmounted", "unmounted/data", "circle", "x" * 300]
)
def test_cifar10_is_downloaded_only_where_a_folder_can_be_made(path):
    for name in ("renamed.gz", "notes.txt"):
        Path(name).touch()
    Path("unmounted").symlink_to("disk")
    Path("circle").symlink_to("circle")
    assert edit(f"dataset: {{path: {path}}}") == [
        f"own: dataset.path is {path}: no folder can be made there, expected a folder, or the "
        "published .tar.gz"
    ]


@pytest.mark.parametrize("path", ["new", "new/data", "link/new", "there.tar.gz", "./new//"])
def test_cifar10_is_read_from_one_path_however_it_is_written(path):
    Path("folder").mkdir()
    Path("link").symlink_to("folder")
    Path("there.tar.gz").touch()
    source = study.source(check(f"dataset: {{path: {path}}}"))
    archive = "" if path == "there.tar.gz" else "/cifar-10-python.tar.gz"
    assert source == f"{path.strip('./')}{archive}"


def test_nothing_is_there_where_links_lead_in_a_circle():
    Path("circle").symlink_to("circle")
    assert edit("runs: {own: {weights: circle}}") == [
        "own: runs.own.weights is circle: no file is there, expected a .pth or .safetensors with "
        "a state dict"
    ]


# A network that a factory makes

FACTORY = """
network: {factory: "mynet.py:build", arguments: {width: 3, depth: 2}}
filters: {chosen: [conv2/1]}
"""


def write_graph(convolutions=2, classes=10):
    """The file of a graph of layers conv1 …, fc1 and fc2."""
    plain = {"conv": [{"channels": 4, "kernel": 1, "pool": 1}] * convolutions, "fc": [8]}
    path = Path(f"graph-{convolutions}-{classes}.json")  # one that is there never changes
    path.write_text(chain.graph(plain, (32, 32), classes).to_json())
    return str(path)


def check(change, describe=None, name="own"):
    """The checked config of the published one with a file merged over it."""
    Path("mynet.py").touch()
    Path("base").write_bytes(BASE.read_bytes())
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(change, encoding="utf-8")
    config = configs.merged(with_preset()[0], yaml.safe_load(change))
    describe = describe or (lambda network, image_size: write_graph())
    return configs.checked(config, SCHEMA, ["base", name], describe=describe)


def refused(change, **graph):
    """The lines of the refusal, for a graph."""
    with pytest.raises(InputError) as error:
        check(change, lambda network, image_size: write_graph(**graph))
    return str(error.value).splitlines()


def test_a_factory_takes_the_place_of_layers_and_gets_its_graph():
    asked = []

    def describe(network, image_size):
        asked.append((dict(network), image_size))
        return write_graph()

    network = check(FACTORY, describe)["network"]
    described = {"factory": "mynet.py:build", "arguments": {"depth": 2, "width": 3}}
    assert asked == [(described, (32, 32))]
    assert network == {**described, "graph": "graph-2-10.json"}
    assert list(network["arguments"]) == ["depth", "width"]


def test_the_file_of_a_factory_lies_beside_the_config_file_that_names_it():
    Path("mine").mkdir()
    Path("mine/mynet.py").touch()
    assert check(FACTORY, name="mine/own.yaml")["network"]["factory"] == "mine/mynet.py:build"


def test_chosen_filters_stand_in_the_order_of_the_graph():
    change = FACTORY.replace("conv2/1", "conv10/2, conv2/3, conv10/1")
    config = check(change, lambda network, image_size: write_graph(convolutions=10))
    assert config["filters"]["chosen"] == ["conv2/3", "conv10/1", "conv10/2"]


@pytest.mark.parametrize(
    ("chosen", "graph", "told"),
    [
        ("conv3/0", {}, "is conv3/0, but the layers with filters are conv1, conv2"),
        (
            "conv9/0",
            {"convolutions": 8},
            "is conv9/0, but the layers with filters are conv1, conv2, conv3, conv4 … conv8 (8)",
        ),
        (
            "fc1/0",
            {},
            "is fc1/0, but fc1 is no convolution: the layers with filters are conv1, conv2",
        ),
        ("conv2/4", {}, "is conv2/4, but conv2 has channels 0 to 3"),
    ],
)
def test_a_filter_is_held_against_the_graph(chosen, graph, told):
    expected = [f"own: filters.chosen[0] {told}"]
    assert refused(FACTORY.replace("conv2/1", chosen), **graph) == expected


@pytest.mark.parametrize("name", ["clean", "ablated", "random-01"])
def test_a_layer_is_not_called_as_a_variant_of_the_ablation_is(name):
    def describe(network, image_size):
        text = Path(write_graph()).read_text()
        path = Path(f"graph-{name}.json")
        path.write_text(text.replace('"conv1"', f'"{name}"'))
        return str(path)

    with pytest.raises(InputError) as error:
        check(FACTORY, describe)
    assert str(error.value) == (
        f"own: network.factory: mynet.py:build has a layer {name}: expected another name, for a "
        "variant of the ablation is called so"
    )


def test_a_network_without_filters_is_given_none():
    assert refused(FACTORY, convolutions=0) == [
        'own: filters.chosen is ["conv2/1"], but mynet.py:build makes a network without a layer '
        "whose filters have maps (height and width): expected []"
    ]


@pytest.mark.parametrize("given", ["", "filters: {chosen: []}", "filters: {top: 3}"])
def test_filters_of_an_earlier_file_s_network_are_none_of_one_without_filters(given):
    network = FACTORY.partition("filters")[0]
    # As many images would be listed, if the ablation were not left out.
    images = "dataset: {name: shapes, train_images: 200, test_images: 40}\n"
    config = check(
        network + images + given, lambda network, image_size: write_graph(convolutions=0)
    )
    assert config["filters"]["chosen"] == []
    assert config["ablation"]["table_images"] > 40
    assert not {"filters", "ablation"} & study.shown(config).keys()


def test_a_network_with_filters_needs_some_of_them():
    expected = "expected a list of filters as in conv2/400, each once"
    assert edit("filters: {chosen: []}") == [f"own: filters.chosen is [], {expected}"]
    none = FACTORY.replace("[conv2/1]", "[]")
    assert refused(none) == [f"own: filters.chosen is [], {expected}"]


def test_outputs_are_held_against_the_classes():
    assert refused(FACTORY, classes=1000) == [
        "own: network.arguments give a network of 1000 outputs, but the data set has 10 classes: "
        "expected as many"
    ]


OWN_IMAGES = (
    FACTORY
    + """
dataset: {name: image-folder, path: pictures.zip, image_size: 32}
occlusion: {images: 1}
ablation: {table_images: 1}
"""
)


def test_names_of_classes_may_be_more_than_those_of_folders():
    write_names("pictures.zip", train=4, test=4)
    given = OWN_IMAGES.replace("size: 32", "size: 32, classes: [c, b, a]")
    config = check(given, lambda network, image_size: write_graph(classes=3))
    assert config["dataset"]["classes"] == ["c", "b", "a"]
    assert refused(OWN_IMAGES, classes=3) == [
        "own: network.arguments give a network of 3 outputs, but the data set has 2 classes: "
        "expected as many, or their names in dataset.classes"
    ]
    assert refused(given.replace("[c, b, a]", "[c, b]"), classes=2) == [
        "own: dataset.classes has no a, but pictures.zip has such a folder: expected the names of "
        "all classes"
    ]


def test_a_factory_needs_to_know_the_size_of_the_images():
    write_names("pictures.zip", train=4, test=4)
    assert refused(OWN_IMAGES.replace(", image_size: 32", "")) == [
        "own: dataset.image_size is missing, and none of the images can be read: expected the size "
        "of the images that network.factory is made for"
    ]


def test_what_is_wrong_with_a_factory_is_a_mistake_of_its_key():
    def describe(network, image_size):
        raise InputError("network.factory: mynet.py:build fails")

    with pytest.raises(InputError) as error:
        check(FACTORY, describe)
    assert str(error.value) == "own: network.factory: mynet.py:build fails"


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (
            "{factory: 'mynet.py:build', conv: [{channels: 4, kernel: 3}]}",
            "own: network has a factory, and conv: expected one of the two",
        ),
        (
            "{facotry: 'mynet.py:build'}",
            "own: network.facotry: unknown key, did you mean factory?",
        ),
        (
            "{factory: build}",
            'own: network.factory is "build", expected package.module:function, as in '
            "torchvision.models:resnet18, or file.py:function",
        ),
        (
            "{factory: 'gone.py:build'}",
            "own: network.factory is gone.py:build: no file gone.py is there, expected it beside "
            "the config file or in the working folder",
        ),
        (
            "{factory: 'mynet.py:build', arguments: [3]}",
            "own: network.arguments is [3], expected a mapping of keys to values",
        ),
    ],
)
def test_a_mistake_in_a_factory_is_one_line(network, told):
    assert refused(FACTORY.replace("{factory", f"{network} # {{factory", 1)) == [told]

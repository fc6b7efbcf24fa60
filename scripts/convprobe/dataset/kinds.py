"""The kinds of data set, and everything that differs between them.

To add one: a class here, in KINDS, and a module that reads it. Nothing else asks for its name.
Planning imports this module, so readers, which need NumPy and more, are imported when they are
called.
"""

import abc
import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from convprobe.dataset import listing
from convprobe.dataset.splits import SPLITS
from convprobe.job import runtime

Settings = Mapping[str, Any]  # the config's `dataset`
LabelsBySplit = dict[str, list[str]]  # the class of each image, by split
ReadLabels = Callable[..., LabelsBySplit]  # as `listing.labels`
Size = tuple[int, int, str]  # height and width in pixels, and the place of an image of it
ReadSizes = Callable[..., list[Size]]  # as `image_sizes.read`
ArraysBySplit = dict[str, tuple]  # by `train` and `test`: pixels, labels and, where known, masks
KeyAndMistake = tuple[str, str]  # a key of the config's `dataset`, and what is wrong with its value


class Kind(abc.ABC):
    """What one kind of data set is like.

    Attributes:
        name: in the config, as `dataset.name`.
        about: what it is, for the schema.
        path_about: what `dataset.path` may be.
        image_size: height and width of its images, in pixels; None where only the images
            themselves say.
        class_count: how many classes it has; None where the images say.
        sizes: how many images its splits have; None where that depends on the user.
        keys: of the config's `dataset`, those that only this kind uses.
        tracked_by_content: whether the files are a user's own, so that only their content says
            whether they are still the same.
        downloaded: whether it can be had from its authors, as a `Published` one.
        is_ordered_by_class: whether images may be in the order of their classes, so that each class
            gives a share of those that are held out.
    """

    name: str
    about: str
    path_about: str
    image_size: tuple[int, int] | None = None
    class_count: int | None = None
    sizes: Mapping[str, int] | None = None
    keys: tuple[str, ...] = ()
    tracked_by_content: bool = False
    downloaded: bool = False
    is_ordered_by_class: bool = False

    def mistakes(self, settings: Settings) -> Iterator[KeyAndMistake]:
        """Mistakes in the config's `dataset` that can be seen before any file is opened."""
        for other in KINDS.values():
            for key in other.keys:
                if key in settings and key not in self.keys:
                    found = f"is given, but {self.name} does not use it"
                    yield key, f"{found}: expected it for an {other.name}"
        if not self.is_there(settings["path"]):
            there = "a file of another kind" if is_file(settings["path"]) else "nothing is there"
            found = f"is {settings['path']}: {there}"
            yield "path", f"{found}, expected {self.path_about}"

    def is_there(self, path: str) -> bool:
        """Whether a file or folder lies at `dataset.path`, or isn't needed there."""
        return is_folder(path) or is_file(path)  # not a device or a pipe, which may have no end

    def holder(self, settings: Settings) -> str:
        """What a message says has so many images."""
        return self.name

    def labels(self, settings: Settings, read_labels: ReadLabels) -> LabelsBySplit | None:
        """The class of each image, where that can be known before any image is opened.

        Raises:
            InputError: the files are not arranged as expected.
        """
        return None

    def counts(
        self, settings: Settings, read_labels: ReadLabels = listing.labels
    ) -> Mapping[str, int]:
        """How many images there are in `train` and `test`; raises as `labels`."""
        return self.sizes

    def classes(self, settings: Settings, read_labels: ReadLabels = listing.labels) -> int:
        """How many classes there are; raises as `labels`."""
        return self.class_count

    def source(self, path: str) -> str | None:
        """The file or folder that the workflow reads; None where its date says nothing."""
        return None

    def size_of_images(self, settings: Settings) -> tuple[int, int] | None:
        """Height and width to which images are brought; None if they are taken as they are."""
        return self.image_size

    def sizes_found(self, settings: Settings, read_sizes: ReadSizes) -> list[Size]:
        """The first different sizes of images that are taken as they are; raises as `labels`."""
        return []

    def size_mistakes(self, settings: Settings, read_sizes: ReadSizes) -> Iterator[KeyAndMistake]:
        """The mistake of images that can't be taken as they are; raises as `labels`."""
        yield from ()

    @abc.abstractmethod
    def read(
        self, settings: Settings, path: Path | str | None
    ) -> tuple[ArraysBySplit, tuple[str, ...]]:
        """The images of both splits, and the names of the classes.

        Raises:
            InputError: nothing is there, or something else.
        """


def is_folder(path: Path | str) -> bool:
    """Whether a folder is there, as far as that can be known."""
    with contextlib.suppress(OSError, ValueError):  # too long a name, or no right to enter
        return Path(path).is_dir()
    return False


def is_file(path: Path | str) -> bool:
    """Whether a file is there, likewise."""
    with contextlib.suppress(OSError, ValueError):
        return Path(path).is_file()
    return False


class Published(Kind):
    """A data set that can be had from its authors."""

    downloaded = True

    @abc.abstractmethod
    def download(self, path: Path | str, job: runtime.Job = runtime.IDLE) -> None:
        """Download the data set to a file.

        Raises:
            InputError: the server can't be reached, or sends something else.
        """


class Cifar10(Published):
    """CIFAR-10, as its authors publish it."""

    name = "cifar10"
    about = "downloaded if it isn't there"
    path_about = "a folder, or the published .tar.gz"
    image_size = (32, 32)
    class_count = 10
    sizes = {"train": 50_000, "test": 10_000}  # noqa: RUF012 - read only
    archive = "cifar-10-python.tar.gz"
    unpacked = "cifar-10-batches-py"

    def is_there(self, path: str) -> bool:
        if Path(path).suffix == ".gz":
            return super().is_there(path)
        # Where a folder can be made: no shell stands between the config and it.
        return not path.startswith("~") and not is_file(path)

    def source(self, path: str) -> str:
        if path.endswith(".tar.gz") or is_folder(Path(path, self.unpacked)):
            return path
        return f"{path}/{self.archive}"

    def download(self, path: Path | str, job: runtime.Job = runtime.IDLE) -> None:
        from convprobe.dataset import cifar10

        cifar10.download_archive(path, job=job)

    def read(
        self, settings: Settings, path: Path | str | None
    ) -> tuple[ArraysBySplit, tuple[str, ...]]:
        from convprobe.dataset import cifar10

        return cifar10.read(path)


class ImageFolder(Kind):
    """A user's own images."""

    name = "image-folder"
    about = "your own images, as SPLIT/CLASS/NAME"
    path_about = "a folder, .tar.gz or .zip of images"
    keys = ("image_size", "split", "classes")
    tracked_by_content = True
    is_ordered_by_class = True

    def mistakes(self, settings: Settings) -> Iterator[KeyAndMistake]:
        yield from super().mistakes(settings)
        path = settings["path"]
        if self.is_there(path) and Path.cwd().is_relative_to(Path(path).resolve()):
            found = f"is {path}, where results are written too"
            yield "path", f"{found}: expected a folder of images alone"

    def holder(self, settings: Settings) -> str:
        return settings["path"]

    def labels(self, settings: Settings, read_labels: ReadLabels) -> LabelsBySplit:
        return read_labels(settings["path"], **settings.get("split", {}))

    def counts(
        self, settings: Settings, read_labels: ReadLabels = listing.labels
    ) -> dict[str, int]:
        labels = self.labels(settings, read_labels)
        return {split: len(classes) for split, classes in labels.items()}

    def size_of_images(self, settings: Settings) -> tuple[int, int] | None:
        given = settings.get("image_size")
        if given is None:
            return None
        height, width = given if isinstance(given, list) else (given, given)
        return height, width

    def sizes_found(self, settings: Settings, read_sizes: ReadSizes) -> list[Size]:
        if "image_size" in settings:
            return []
        return read_sizes(settings["path"], **settings.get("split", {}))

    def size_mistakes(self, settings: Settings, read_sizes: ReadSizes) -> Iterator[KeyAndMistake]:
        sizes = self.sizes_found(settings, read_sizes)
        if len(sizes) > 1:
            shown = [f"{width}×{height} pixels ({place})" for height, width, place in sizes]
            expected = "expected all of one size, or dataset.image_size"
            yield (
                "path",
                f"is {settings['path']}, with images of {' and '.join(shown)}: {expected}, to "
                "which the middle of each is scaled",
            )

    def classes(self, settings: Settings, read_labels: ReadLabels = listing.labels) -> int:
        if "classes" in settings:
            return len(settings["classes"])
        return len(set(self.labels(settings, read_labels)["train"]))

    def read(
        self, settings: Settings, path: Path | str | None
    ) -> tuple[ArraysBySplit, tuple[str, ...]]:
        from convprobe.dataset import image_folder

        size, split = self.size_of_images(settings), settings.get("split")
        return image_folder.read(path, size, split, settings.get("classes"))


class Shapes(Kind):
    """Shapes, drawn."""

    name = "shapes"
    about = "drawn, with the place of the object known"
    path_about = "not used"
    image_size = (32, 32)
    class_count = 10

    def mistakes(self, settings: Settings) -> Iterator[KeyAndMistake]:
        for split in SPLITS:
            key = f"{split}_images"
            if settings[key] == "all":
                yield key, "is all, but shapes are drawn: expected how many"
        yield from super().mistakes(settings)

    def is_there(self, path: str) -> bool:
        return True

    def counts(
        self, settings: Settings, read_labels: ReadLabels = listing.labels
    ) -> dict[str, int]:
        return {split: settings[f"{split}_images"] for split in SPLITS}

    def read(
        self, settings: Settings, path: Path | str | None
    ) -> tuple[ArraysBySplit, tuple[str, ...]]:
        from convprobe.dataset import shapes

        # The split is part of the seed, so that more training images don't change the test.
        drawn = {}
        for number, split in enumerate(SPLITS):
            drawn[split] = shapes.draw(settings[f"{split}_images"], seed=(0, number))
        return drawn, shapes.CLASSES


KINDS = {kind.name: kind for kind in (Cifar10(), ImageFolder(), Shapes())}


def of(settings: Settings) -> Kind:
    """The kind of the config's `dataset`."""
    return KINDS[settings["name"]]

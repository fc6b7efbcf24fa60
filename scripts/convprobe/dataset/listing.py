"""Which images a folder or an archive holds: `SPLIT/CLASS/NAME`, or `CLASS/NAME` to be split.

By names alone: no image is opened, so that this can be asked before anything runs. What is read,
what is digested and what is counted is decided here, once for all three.
"""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from convprobe.dataset import archives
from convprobe.dataset.archives import Entry, Parts
from convprobe.dataset.splits import SPLITS
from convprobe.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp")


def labels(path: Path | str, **split: float) -> dict[str, list[str]]:
    """The class of each image of `train` and `test`, in the order of the data set.

    Args:
        path: of the folder or archive.
        split: `test_share` and `seed`, where the images lie at CLASS/NAME.

    Raises:
        InputError: as for `Listing`.
    """
    listed = Listing(path, split)
    with archives.reading(path):
        listed.read_names()
    return listed.labels()


class Listing:
    """The images of a folder or an archive: iterate over them, then ask how they are arranged.

    The folders SPLIT, or CLASS, may lie at any one depth.

    Attributes:
        path: of the folder or archive.
        split: `test_share` and `seed`, where the images lie at CLASS/NAME.
        images: the places of the images seen so far.
        folders: those of the folders.
    """

    def __init__(self, path: Path | str, split: Mapping[str, float] | None = None) -> None:
        """Args as for `labels`; nothing is read yet."""
        self.path = Path(path)
        self.split = split
        self.images: list[Parts] = []
        self.folders: list[Parts] = []
        # Images that don't lie at SPLIT/CLASS/NAME, where that is expected.
        self._elsewhere: list[Parts] = []

    def __iter__(self) -> Iterator[Entry]:
        """All images. Iterate inside `archives.reading`."""
        for entry in archives.entries(self.path):
            parts = entry.parts
            if entry.is_folder:
                self.folders.append(parts)
            elif not _is_image(parts):
                continue
            elif not self.split and not _is_in_split(parts):
                self._elsewhere.append(parts)
            else:
                entry.refuse_large()
                self.images.append(parts)
                yield entry

    def read_names(self) -> None:
        """Go over all images without reading their files."""
        for _ in self:
            pass

    def labels(self) -> dict[str, list[str]]:
        """The class of each image, in the order of the data set; raises as `arranged`."""
        labels = {}
        for split, places in self.arranged().items():
            labels[split] = [_class(parts) for parts in places]
        return labels

    def arranged(self) -> dict[str, list[Parts]]:
        """The places of the images of `train` and `test`, by NAME and then CLASS.

        Raises:
            InputError: a split or a class without images, a class only in test, the same image
                twice, images at different depths.
        """
        self._refuse_split_of_splits()
        by_split = self._by_split()
        self._refuse_missing(by_split)
        self._refuse_depths()
        self._refuse_empty()
        for places in by_split.values():
            places.sort(key=_by_name)
            self._refuse_twice(places)
        return by_split

    def _by_split(self) -> dict[str, list[Parts]]:
        by_split = {split: [] for split in SPLITS}
        tested = self._tested()
        for parts in self.images:
            by_split["test" if parts in tested else "train"].append(parts)
        return by_split

    def _tested(self) -> set[Parts]:
        """The places of the test images."""
        if not self.split:
            return {parts for parts in self.images if parts[-3] == "test"}
        drawn = _drawn([parts[-2:] for parts in self.images], **self.split)
        return {parts for parts in self.images if parts[-2:] in drawn}

    def _refuse_split_of_splits(self) -> None:
        """Refuse to draw test images from folders that are a split already."""
        above = {parts[-3] for parts in self.images if len(parts) > 2}
        if self.split and above.issuperset(SPLITS):
            raise InputError(
                f"{self.path}: has folders train and test, of which dataset.split would draw the "
                "test images anew: expected either these folders or dataset.split"
            )

    def _refuse_missing(self, by_split: Mapping[str, list[Parts]]) -> None:
        for split in SPLITS:
            if not by_split[split]:
                self._refuse_split(split)
        trained = set(map(_class, by_split["train"]))
        tested = set(map(_class, by_split["test"]))
        if tested - trained:
            names = ", ".join(sorted(tested - trained))
            raise InputError(f"{self.path}: only in test, never in train: class {names}")

    def _refuse_split(self, split: str) -> None:
        if self.split and self.images:
            raise InputError(
                f"{self.path}: no class has more than one image, expected some to draw test images "
                "from, which dataset.split asks for"
            )
        place = "CLASS/NAME" if self.split else f"{split}/CLASS/NAME"
        found = f"{self.path}: no image at {place}"
        if self._elsewhere and not self.images:
            found += f", but at CLASS/NAME, as {_shown(min(self._elsewhere))}"
            expected = "expected folders train and test, or dataset.split to draw the test images"
            raise InputError(f"{found}: {expected}")
        raise InputError(f"{found}, expected files that end in {', '.join(SUFFIXES)}")

    def _refuse_depths(self) -> None:
        """Refuse a file that lies higher or deeper: a folder of another level would be its class.

        Where there are splits, what lies in one of their folders counts, but not what lies beside.
        """
        images = [*self.images]
        if not self.split:
            above = len(min(images, key=len)) - 3
            images += [parts for parts in self._elsewhere if set(SPLITS) & set(parts[above:-1])]
        first = min(images, key=lambda parts: (len(parts), parts))
        last = max(images, key=lambda parts: (len(parts), parts))
        if len(first) != len(last):
            places = f"{_shown(first)} and {_shown(last)} lie at different depths"
            place = "CLASS/NAME" if self.split else "SPLIT/CLASS/NAME"
            raise InputError(f"{self.path}: {places}, expected all images at {place}")

    def _refuse_empty(self) -> None:
        """Refuse a folder without an image beside those of the classes: a class would be lost."""
        classes = {parts[:-1] for parts in self.images}
        # A class may have no test image.
        beside = {(len(parts), parts[:-1]) for parts in classes if parts[-2:-1] != ("test",)}
        for folder in sorted(set(self.folders) - classes):
            if (len(folder), folder[:-1]) in beside:
                found = f"{self.path}: {_shown(folder)} holds no image"
                raise InputError(f"{found}, expected some of each class")

    def _refuse_twice(self, places: list[Parts]) -> None:
        for one, other in itertools.pairwise(places):
            if one == other:
                found = f"{self.path}: {_shown(one)} is there twice"
                raise InputError(f"{found}, expected one file of each name")
            if _by_name(one) == _by_name(other):
                both = f"{_shown(one)} and {_shown(other)} have one class and name"
                raise InputError(f"{self.path}: {both}, expected one folder of each name")


def _is_image(parts: Parts) -> bool:
    """Whether a file lies in a folder and is named as an image."""
    return len(parts) > 1 and Path(parts[-1]).suffix.lower() in SUFFIXES


def _is_in_split(parts: Parts) -> bool:
    return len(parts) > 2 and parts[-3] in SPLITS


def _class(parts: Parts) -> str:
    return parts[-2]


def _by_name(parts: Parts) -> Parts:
    return parts[-1], parts[-2]


def _shown(parts: Parts) -> str:
    return "/".join(parts)


def _drawn(places: list[Parts], test_share: float, seed: int) -> set[Parts]:
    """Which of the places (CLASS, NAME) are tested: a share of each class, at least one, not all.

    A class is drawn by its own name, so that another one added changes nothing.
    """
    import numpy as np  # here, because most plans can do without

    names = {}
    for class_name, name in places:
        names.setdefault(class_name, set()).add(name)
    tested = set()
    for class_name, unordered in names.items():
        ordered = sorted(unordered)
        count = min(max(1, round(test_share * len(ordered))), len(ordered) - 1)
        random = np.random.default_rng([seed, *class_name.encode()])
        for index in random.permutation(len(ordered))[:count]:
            tested.add((class_name, ordered[index]))
    return tested

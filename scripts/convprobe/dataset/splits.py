"""How a data set is split: images to train on, to test on and, if asked for, to validate on."""

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence

SPLITS = ("train", "test")  # as the data set has them; validation images are training images


def ranges(
    settings: Mapping[str, object], available: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    """First image of each split and the one after its last; the last training images are held out.

    Args:
        settings: the config's `dataset`.
        available: how many images there are in `train` and `test`.
    """
    stop = {}
    for split in SPLITS:
        wanted = settings[f"{split}_images"]
        stop[split] = available[split] if wanted == "all" else wanted
    trained = stop["train"] - settings["validation_images"]
    by_split = {"train": (0, trained), "test": (0, stop["test"])}
    if settings["validation_images"]:
        by_split["validation"] = (trained, stop["train"])
    return by_split


def places(
    settings: Mapping[str, object], available: Mapping[str, int], classes: Sequence[Hashable] | None
) -> dict[str, Sequence[int]]:
    """Where each split's images stand in the data set; those held out are training images.

    Args:
        settings, available: as for `ranges`.
        classes: of each training image, if each class gives its share of those that are held out;
            else None.
    """
    by_split = {split: range(*of_split) for split, of_split in ranges(settings, available).items()}
    if classes is None or "validation" not in by_split:
        return by_split
    taken = classes[: by_split["validation"].stop]
    held_out = _held_out(taken, len(by_split["validation"]))
    kept = set(range(len(taken))).difference(held_out)
    return {**by_split, "train": sorted(kept), "validation": held_out}


def _held_out(classes: Sequence[Hashable], count: int) -> list[int]:
    """The last training images of each class, as many as its share; in all so many."""
    left = {}
    remainders = {}
    for name, size in Counter(classes).items():
        left[name], remainder = divmod(count * size, len(classes))
        remainders[name] = (size - left[name] > 1, remainder)
    # Of those still lacking, the largest remainders give one each; before any gives its last.
    largest_first = sorted(remainders, key=remainders.get, reverse=True)
    for name in largest_first[: count - sum(left.values())]:
        left[name] += 1
    held_out = []
    for index in reversed(range(len(classes))):
        if left[classes[index]]:
            left[classes[index]] -= 1
            held_out.append(index)
    return held_out[::-1]


def lacking(classes: Collection[str], present: Mapping[str, Collection[str]]) -> list[str]:
    """A line for each split that lacks classes.

    Args:
        classes: all of them.
        present: those that each split has images of.
    """
    lines = []
    for split, there in present.items():
        missing = [name for name in classes if name not in there]
        if missing:
            images = "training" if split == "train" else split
            lines.append(f"no {images} image of class {', '.join(missing)}")
    return lines

"""How a data set is split: images to train on, to test on and, if asked for, to validate on."""

from collections.abc import Collection, Mapping

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
    found = {"train": (0, trained), "test": (0, stop["test"])}
    if settings["validation_images"]:
        found["validation"] = (trained, stop["train"])
    return found


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

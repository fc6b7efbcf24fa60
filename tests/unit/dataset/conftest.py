"""Images that several tests of this folder read."""

import pytest
from own_images import draw


@pytest.fixture
def pictures(tmp_path):
    """Two classes; the order of writing is neither that of the names nor that of the classes."""
    folder = tmp_path / "pictures"
    for red, place in enumerate(("b/1", "a/1", "b/0", "a/2", "a/0")):
        draw(folder / "train" / f"{place}.png", red)
    for red, place in ((10, "b/0"), (11, "a/0")):
        draw(folder / "test" / f"{place}.png", red)
    (folder / "README.txt").write_text("not an image")
    (folder / "train" / "a" / "notes.txt").write_text("nor this")
    draw(folder / "preview.png", 99)
    return folder

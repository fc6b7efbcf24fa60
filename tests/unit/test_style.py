"""What every figure carries along: its words, and the digests of what it is drawn from."""

import hashlib

import pytest

from convprobe import style
from convprobe.errors import InputError


def draw(path):
    figure = style.new(2, 2)
    figure.suptitle("A figure")
    style.save(figure, path, "What is drawn.")


def test_a_figure_names_what_it_is_drawn_from_and_carries_its_words(tmp_path):
    source = tmp_path / "filters/top images.csv"
    source.parent.mkdir()
    source.write_text("response\n")
    path = tmp_path / "filters/conv1/3.png"
    with style.drawn_from([source]):
        draw(path)
    digest = hashlib.sha256(b"response\n").hexdigest()
    for kind in ("png", "svg"):
        words = style.words(path.with_suffix(f".{kind}"))
        assert words["Source"] == f"conv1/3\n{digest}  top images.csv"
        alternative_text = path.with_suffix(".txt").read_text()
        assert f"{words['Title']}. {words['Description']}\n" == alternative_text
    draw(path)
    assert "Source" not in style.words(path)


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG", b"<svg", b"\xff\xfe"])
def test_what_is_no_picture_is_refused(tmp_path, kind, content):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.{kind}: not a picture"):
        style.words(path)

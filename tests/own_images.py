"""Small images of a user's own, in folders and archives, and how they are refused."""

import io
import shutil
import tarfile

import pytest
from PIL import Image

from convprobe.dataset import image_folder
from convprobe.errors import InputError


def draw(path, red, size=(4, 4), mode="RGB"):
    """An image (width, height) of one colour, whose red tells which one it is; PNG, so exact."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, red if mode == "L" else (red, 1, 2)).save(path)


def packed(folder, kind):
    """The folder itself, or an archive of it with the folder's name on top."""
    if kind == "folder":
        return folder
    form = {"tar.gz": "gztar", "zip": "zip"}[kind]
    return folder.parent / shutil.make_archive(folder, form, folder.parent, folder.name)


def refusal(path, split=None):
    with pytest.raises(InputError) as refused:
        image_folder.read(path, split=split)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def image_bytes(red):
    content = io.BytesIO()
    Image.new("RGB", (4, 4), (red, 1, 2)).save(content, "PNG")
    return content.getvalue()


def add(archive, name, content=b"", **fields):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for field, value in fields.items():
        setattr(entry, field, value)
    archive.addfile(entry, io.BytesIO(content))

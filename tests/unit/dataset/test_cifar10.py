"""CIFAR-10: a small archive in the published format, served, downloaded, read, and spoiled."""

import functools
import hashlib
import http.server
import pickle
import tarfile
import threading

import numpy as np
import pytest
from own_images import add
from torchvision.datasets import CIFAR10

from convprobe.dataset import archives, cifar10
from convprobe.errors import InputError

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
TRAIN = [f"data_batch_{number}" for number in range(1, 6)]


def batch(labels, first):
    """A published batch: rows of 1024 red, 1024 green, then 1024 blue values, each row by row."""
    data = np.zeros((len(labels), 3072), dtype=np.uint8)
    data[:, 0] = np.arange(first, first + len(labels))  # red of (0, 0) tells which image it is
    data[:, 1] = 11  # red of y 0, x 1
    data[:, 1024 + 32] = 22  # green of y 1, x 0
    data[:, 2048 + 31 * 32 + 30] = 33  # blue of y 31, x 30
    return {
        "batch_label": "some",
        "labels": labels,
        "data": data,
        "filenames": ["x.png"] * len(labels),
    }


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def published(tmp_path):
    """The published folder, its archive, and the torchvision class that knows their digests."""
    folder = tmp_path / "server" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    contents = {name: batch([number, 9], first=2 * number) for number, name in enumerate(TRAIN)}
    contents |= {"test_batch": batch([7, 0, 7], first=100), "batches.meta": {"label_names": NAMES}}
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    archive = folder.parent / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, folder.name)

    class Small(CIFAR10):
        tgz_md5 = md5(archive)
        train_list = [[name, md5(folder / name)] for name in TRAIN]  # noqa: RUF012
        test_list = [["test_batch", md5(folder / "test_batch")]]  # noqa: RUF012
        meta = CIFAR10.meta | {"md5": md5(folder / "batches.meta")}

    return folder, archive, Small


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def served(published):
    """The class with its address on a server of this machine."""
    folder, _, source = published
    handler = functools.partial(Quiet, directory=folder.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        source.url = f"http://127.0.0.1:{server.server_port}/cifar-10-python.tar.gz"
        yield source
        server.shutdown()
        thread.join()


def one_line(refused):
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_images_keep_their_order_and_channels_come_last(published):
    folder, _, source = published
    splits, classes = cifar10.read(folder.parent, source)
    assert classes == tuple(NAMES)
    pixels, labels = splits["train"]
    assert pixels.shape == (10, 32, 32, 3)
    assert pixels.dtype == np.uint8
    assert pixels[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert labels.dtype == np.int64
    last = pixels[9]
    assert (last[0, 0, 0], last[0, 1, 0], last[1, 0, 1], last[31, 30, 2]) == (9, 11, 22, 33)
    assert np.count_nonzero(last) == 4
    assert splits["test"][0][:, 0, 0, 0].tolist() == [100, 101, 102]
    assert splits["test"][1].tolist() == [7, 0, 7]


def test_the_archive_gives_what_its_folder_gives_and_leaves_nothing_beside_it(published):
    folder, archive, source = published
    there = sorted(archive.parent.rglob("*"))
    from_folder, classes = cifar10.read(folder.parent, source)
    from_archive, classes_of_archive = cifar10.read(archive, source)
    assert classes_of_archive == classes
    for split in ("train", "test"):
        for one, other in zip(from_folder[split], from_archive[split], strict=True):
            assert np.array_equal(one, other)
    assert sorted(archive.parent.rglob("*")) == there


def test_the_archive_is_downloaded_from_its_authors_or_a_mirror(
    published, served, tmp_path, monkeypatch
):
    cifar10.download_archive(tmp_path / "a.tar.gz", served)
    assert (tmp_path / "a.tar.gz").read_bytes() == published[1].read_bytes()
    monkeypatch.setenv("CONVPROBE_CIFAR10_URL", served.url)
    served.url = "http://127.0.0.1:1/nothing-is-there"
    cifar10.download_archive(tmp_path / "b.tar.gz", served)
    assert (tmp_path / "b.tar.gz").read_bytes() == published[1].read_bytes()


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:,a", "resources/a.tar.gz"]
)
def test_a_mirror_that_is_no_address_is_refused(published, tmp_path, monkeypatch, url):
    monkeypatch.setenv("CONVPROBE_CIFAR10_URL", url)
    with pytest.raises(InputError) as refused:
        cifar10.download_archive(tmp_path / "a.tar.gz", published[2])
    assert one_line(refused) == (
        f"CONVPROBE_CIFAR10_URL is {url}, expected an address that begins with http:// or https://"
    )
    assert not list(tmp_path.glob("a.tar.gz*"))


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the payload's file, opened on purpose
def test_the_payload_of_these_tests_works(tmp_path):
    pickle.loads(pickle.dumps(Payload(tmp_path / "executed")))
    assert (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", [*TRAIN, "test_batch", "batches.meta"])
def test_no_altered_file_is_unpickled_whichever_it_is(published, tmp_path, name):
    folder, _, source = published
    (folder / name).write_bytes(pickle.dumps(Payload(tmp_path / "executed")))
    with pytest.raises(InputError) as refused:
        cifar10.read(folder.parent, source)
    assert one_line(refused).startswith(
        f"{folder / name}: not the published file: its MD5 digest should be "
    )
    assert not (tmp_path / "executed").exists()


def test_an_altered_archive_is_not_unpacked(published, tmp_path):
    folder, archive, source = published
    (folder / "data_batch_1").write_bytes(pickle.dumps(Payload(tmp_path / "executed")))
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, folder.name)
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    assert one_line(refused).startswith(
        f"{archive}: not the published archive: its MD5 digest should be "
    )
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["data_batch_3", "batches.meta"])
def test_a_missing_batch_is_named(published, name):
    folder, _, source = published
    (folder / name).unlink()
    with pytest.raises(InputError) as refused:
        cifar10.read(folder.parent, source)
    assert (
        one_line(refused)
        == f"{folder / name}: missing: expected the extracted archive cifar-10-python.tar.gz"
    )


def test_a_path_where_nothing_is(published, tmp_path):
    with pytest.raises(InputError) as refused:
        cifar10.read(tmp_path / "none.tar.gz", published[2])
    assert one_line(refused).startswith(
        f"{tmp_path / 'none.tar.gz'}: missing: expected cifar-10-python.tar.gz"
    )


def repacked(published, change):
    """An archive of the published files and what `change` adds, with its digest in the class."""
    folder, archive, source = published
    with tarfile.open(archive, "w:gz") as file:
        for path in sorted(folder.iterdir()):
            file.add(path, f"{folder.name}/{path.name}")
        change(file)
    source.tgz_md5 = md5(archive)
    return archive, source


@pytest.mark.parametrize(
    "name",
    ["../outside", "/tmp/outside", "cifar-10-batches-py/../../outside", "data_batch_9"],
)
def test_an_archive_with_a_file_that_is_not_published_is_refused(published, tmp_path, name):
    """Its digest would be wrong already; the names are a second wall."""
    archive, source = repacked(published, lambda file: add(file, name, b"evil"))
    there = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    expected = f"{archive}: holds {name}, expected the published files, each once"
    assert one_line(refused) == expected
    assert sorted(tmp_path.rglob("*")) == there


def test_a_file_that_an_archive_has_twice_is_refused(published):
    name = "cifar-10-batches-py/test_batch"
    archive, source = repacked(published, lambda file: add(file, name, b"other"))
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    assert f"holds {name}, expected the published files, each once" in one_line(refused)


def test_a_link_in_place_of_a_file_is_not_followed(published, tmp_path):
    folder, _, _ = published
    (folder / "test_batch").rename(tmp_path / "secret")
    (folder / "test_batch").symlink_to(tmp_path / "secret")
    archive, source = repacked(published, lambda file: None)
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    found = f"{archive}: holds no file cifar-10-batches-py/test_batch"
    assert one_line(refused) == f"{found}, expected all published files"


def test_a_file_that_is_too_large_is_refused_before_it_is_unpacked(published, monkeypatch):
    folder, _, _ = published
    size = (folder / "data_batch_1").stat().st_size
    monkeypatch.setattr(archives, "MOST_BYTES", size - 1)
    archive, source = repacked(published, lambda file: None)
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    found = f"{archive}: cifar-10-batches-py/data_batch_1 is a file of {size} bytes"
    assert one_line(refused) == f"{found}, expected at most {size - 1}"


def test_an_archive_that_unpacks_to_too_much_is_refused(published, monkeypatch):
    bomb = functools.partial(add, name="cifar-10-batches-py/readme.html", content=bytes(2**21))
    monkeypatch.setattr(archives, "MOST_UNPACKED", 2**20)
    archive, source = repacked(published, bomb)
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    expected = f"{archive}: unpacks to more than {2**20} bytes, expected an archive of images"
    assert one_line(refused) == expected


def test_an_archive_that_is_cut_off_is_refused(published):
    archive, source = repacked(published, lambda file: None)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    source.tgz_md5 = md5(archive)
    with pytest.raises(InputError) as refused:
        cifar10.read(archive, source)
    assert one_line(refused).startswith(f"{archive}: damaged archive, expected .tar.gz or .zip (")


def test_the_readme_beside_the_batches_is_passed_over(published):
    readme = functools.partial(add, name="cifar-10-batches-py/readme.html", content=b"<html>")
    archive, source = repacked(published, readme)
    assert cifar10.read(archive, source)[1] == tuple(NAMES)

"""Downloads from servers on this machine that break off, stall, lie, or send something else."""

import hashlib
import http.server
import socket
import threading

import numpy as np
import pytest

from convprobe.dataset import download
from convprobe.errors import InputError

CONTENT = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT in the way that `server.behaviour` names; notes the ranges asked for."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        getattr(self, self.server.behaviour)(start)

    def answer(self, content, start=0, length=None):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def well(self, start):
        self.answer(CONTENT[start:], start)

    def breaks_off(self, start):
        """After 300,000 bytes each time."""
        self.answer(CONTENT[start : start + 300_000], start, length=len(CONTENT) - start)

    def stalls(self, start):
        """After 600,000 bytes, the first time."""
        if start:
            return self.well(start)
        self.answer(CONTENT[:600_000], length=len(CONTENT))
        self.wfile.flush()
        self.server.released.wait(10)

    def cannot_continue(self, start):
        """Whatever is asked for, it sends the whole file, half of it the first time."""
        first = len(self.server.asked) == 1
        self.answer(CONTENT[:500_000] if first else CONTENT, length=len(CONTENT))

    def understates(self, start):
        self.answer(CONTENT[:1000], length=1000)

    def overstates(self, start):
        self.answer(CONTENT, length=len(CONTENT) + 1000)

    def tells_no_number_for_the_length(self, start):
        self.answer(CONTENT, length="long")

    def tells_a_negative_length(self, start):
        self.answer(CONTENT, length=-5)

    def continues_elsewhere(self, start):
        """Asked for the rest, it sends it from another byte on; later it sends the whole file."""
        if start:
            return self.answer(CONTENT[start:], start + 7, length=len(CONTENT) - start)
        self.answer(
            CONTENT[:500_000] if len(self.server.asked) == 1 else CONTENT, length=len(CONTENT)
        )

    def refuses_ranges(self, start):
        if start:
            return self.send_error(416)
        self.answer(
            CONTENT[:500_000] if len(self.server.asked) == 1 else CONTENT, length=len(CONTENT)
        )

    def breaks_off_and_refuses_ranges(self, start):
        self.send_error(416) if start else self.answer(CONTENT[:500_000], length=len(CONTENT))

    def breaks_off_something_else(self, start):
        """The wrong bytes, half of them at a time."""
        if start:
            return self.answer(bytes(500_000), start)
        self.answer(bytes(500_000), length=len(CONTENT))

    def makes_no_sense(self, start):
        """A place of more digits than Python takes for a number."""
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {'9' * 5000}-")
        self.end_headers()

    def sends_round_in_circles(self, start):
        self.send_response(302)
        self.send_header("Location", self.path)
        self.end_headers()

    def sends_to_a_file_of_this_machine(self, start):
        self.send_response(302)
        self.send_header("Location", "file:///etc/hostname")
        self.end_headers()

    def sends_a_page(self, start):
        self.answer(b"<html>moved</html>")

    def gone(self, start):
        self.send_error(404)

    def hangs_up(self, start):
        pass

    def speaks_no_http(self, start):
        self.wfile.write(b"no HTTP at all\r\n\r\n")


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.asked, server.released = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def fetch(server, behaviour, path):
    server.behaviour = behaviour
    download.fetch(f"http://127.0.0.1:{server.server_port}/file", path, MD5, timeout=1, wait=0)


@pytest.mark.parametrize(
    ("behaviour", "asked"),
    [
        ("well", [None]),
        ("breaks_off", [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]),
        ("stalls", [None, "bytes=600000-"]),
        ("cannot_continue", [None, "bytes=500000-"]),
        ("continues_elsewhere", [None, "bytes=500000-", None]),
        ("refuses_ranges", [None, "bytes=500000-", None]),
        ("overstates", [None]),
        ("tells_no_number_for_the_length", [None]),
        ("tells_a_negative_length", [None]),
    ],
)
def test_the_whole_file_arrives_and_nothing_twice(server, tmp_path, behaviour, asked):
    fetch(server, behaviour, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == asked
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_arrived_before_a_stop_is_continued_by_the_next_call(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:700_000])
    fetch(server, "well", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == ["bytes=700000-"]


def test_a_part_of_something_else_is_thrown_away(server, tmp_path):
    (tmp_path / "file.part").write_bytes(bytes(700_000))
    fetch(server, "well", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == ["bytes=700000-", None]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("sends_a_page", f"it sends something else: expected a file with the MD5 digest {MD5}"),
        ("understates", f"it sends something else: expected a file with the MD5 digest {MD5}"),
        (
            "breaks_off_something_else",
            f"it sends something else: expected a file with the MD5 digest {MD5}",
        ),
        (
            "breaks_off_and_refuses_ranges",
            f"it sends something else: expected a file with the MD5 digest {MD5}",
        ),
        ("makes_no_sense", "Exceeds the limit"),
        ("sends_round_in_circles", "infinite loop"),
        (
            "sends_to_a_file_of_this_machine",
            "Redirection to url 'file:///etc/hostname' is not allowed",
        ),
        ("gone", "HTTP Error 404"),
        ("hangs_up", "Remote end closed connection"),
        ("speaks_no_http", "no HTTP at all"),
    ],
)
def test_a_server_that_sends_something_else_leaves_no_file(server, tmp_path, behaviour, words):
    with pytest.raises(InputError) as refused:
        fetch(server, behaviour, tmp_path / "file")
    message = str(refused.value)
    assert message.startswith(f"http://127.0.0.1:{server.server_port}/file: download failed (")
    assert words in message
    assert f"Put the file at {tmp_path / 'file'} by hand" in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []
    assert len(server.asked) <= 25, "it doesn't go on for ever"


def test_a_server_that_sends_without_end_is_left(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 400_000)
    with pytest.raises(InputError, match="it sends something else"):
        fetch(server, "well", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_cannot_be_reached(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(InputError, match="download failed"):
        download.fetch(f"http://127.0.0.1:{port}/file", tmp_path / "file", MD5, wait=0)
    assert list(tmp_path.iterdir()) == []

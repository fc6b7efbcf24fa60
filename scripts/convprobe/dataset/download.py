"""A file from a server over a connection that may break: what has arrived is kept and continued."""

import http.client
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from torchvision.datasets.utils import calculate_md5

from convprobe.errors import InputError
from convprobe.job import runtime

BLOCK = 2**18  # bytes at a time, at most: what has arrived is written before the rest stalls
MOST_BYTES = 2**31  # of a file; a server that sends more sends something else
ATTEMPTS = 5  # in a row without a new byte


def fetch(
    url: str,
    path: Path | str,
    md5: str,
    job: runtime.Job = runtime.IDLE,
    timeout: float = 60,
    wait: float = 2,
) -> None:
    """Download a file; it is there only once its digest is right.

    What arrived before the connection broke lies beside it, as `NAME.part`, and is continued by the
    next attempt or the next call.

    Args:
        url: http or https.
        path: of the file.
        md5: its digest, 32 hexadecimal digits.
        job: shows the progress.
        timeout: seconds without an answer after which the connection counts as broken.
        wait: seconds between attempts.

    Raises:
        InputError: the server can't be reached, gives up, or sends something else.
    """
    part = Path(f"{path}.part")
    reason = _complete(url, part, md5, job, timeout, wait)
    if reason:
        advice = f"Put the file at {path} by hand, or run again to continue"
        raise InputError(f"{url}: download failed ({reason}). {advice}")
    part.replace(path)


def _complete(
    url: str, part: Path, md5: str, job: runtime.Job, timeout: float, wait: float
) -> str | None:
    """Continue until the digest is right, or give up with the reason; args as for `fetch`."""
    idle = 0  # attempts without a new byte
    wrong = 0  # files with another digest
    while idle < ATTEMPTS:
        before = _size(part)
        reason = _attempt(url, part, timeout, job)
        if _size(part) and calculate_md5(part) == md5:
            return None
        if reason is None or _size(part) > MOST_BYTES:
            # All has arrived, but not the right thing, or not the rest of what was there.
            part.unlink(missing_ok=True)
            reason = f"it sends something else: expected a file with the MD5 digest {md5}"
            wrong += 1
            # The first time, what was there, or a server that can't continue, may be to blame.
            if not before or wrong == 2:
                break
        idle = 0 if _size(part) > before else idle + 1
        if idle < ATTEMPTS:
            print(f"{reason}: trying again from byte {_size(part)}", flush=True)
            time.sleep(wait)
    return reason


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _attempt(url: str, part: Path, timeout: float, job: runtime.Job) -> str | None:
    """Continue a download; the reason if it fails."""
    try:
        _continue(url, part, timeout, job)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A ValueError: a header makes no sense.
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _continue(url: str, part: Path, timeout: float, job: runtime.Job) -> None:
    """Append what is missing to the part, or write it anew where the server can't continue."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing
        raise
    with response:
        continued = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        have = have if continued and int(continued[1]) == have else 0
        length = response.length or 0  # None if the server doesn't say, or says no number
        with open(part, "ab" if have else "wb") as file:
            blocks = iter(lambda: response.read1(BLOCK), b"")
            for block in job.progress(blocks, length, "bytes"):
                file.write(block)
                if file.tell() > MOST_BYTES:
                    return
        if _size(part) < have + length:
            raise http.client.IncompleteRead(b"", have + length - _size(part))

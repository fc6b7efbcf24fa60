"""How the page holds numbers: as text, deflated where there are many.

`report/explorer/packing.mjs` reads what is packed here.
"""

import base64
import json
import zlib

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16

DIGITS = 4  # of a probability on the page


def deflated(data: bytes) -> str:
    return _text(zlib.compress(data, 9))


def inflated(text: str) -> bytes:
    """What was deflated.

    Raises:
        ValueError: the text is not base64.
        zlib.error: it holds something else.
    """
    return zlib.decompress(base64.b64decode(text))


def plain(values: dict) -> str:
    """Plain values, deflated."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return deflated(text.encode())


def numbers(values: UInt16[np.ndarray, "..."]) -> str:
    """Numbers in order, deflated; the lower byte of each comes first."""
    return deflated(values.astype("<u2").tobytes())


def raw(values: UInt8[np.ndarray, "..."]) -> str:
    """Bytes in order."""
    return _text(values.tobytes())


def bits(values: Bool[np.ndarray, "..."]) -> str:
    """Which values are true; the first is the highest bit of its byte."""
    return _text(np.packbits(values).tobytes())


def units(probability: Float[np.ndarray, "*shape"]) -> UInt16[np.ndarray, "*shape"]:
    """Probabilities in units of the last digit shown."""
    return np.rint(probability.astype(np.float64) * 10**DIGITS).astype(np.uint16)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()

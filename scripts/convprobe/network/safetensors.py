"""Reads a safetensors file, whose every number is checked before it is used.

Format: the header's length in 8 bytes (little-endian); the header, which is JSON: `dtype`, `shape`
and `data_offsets` of each tensor by its name; the tensors' bytes.
Source: https://github.com/huggingface/safetensors#format.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from convprobe.errors import InputError, short_reason

LENGTH = 8  # bytes that hold the header's length
MOST_HEADER = 100_000_000  # bytes, as for its authors
METADATA = "__metadata__"
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def is_one(start: bytes, size: int) -> bool:
    """Whether a file seems to be of this format.

    Args:
        start: its first bytes.
        size: of the whole file, in bytes.
    """
    return start[LENGTH : LENGTH + 1] == b"{" and int.from_bytes(start[:LENGTH], "little") < size


def read(path: Path | str) -> dict[str, Tensor]:
    """The tensors in a file, by name.

    Raises:
        InputError: it is damaged.
    """
    try:
        return _tensors(Path(path).read_bytes())
    except (
        ValueError, TypeError, LookupError, AttributeError, RuntimeError, OverflowError
    ) as error:  # fmt: skip
        raise InputError(
            f"{path}: damaged or not a safetensors file ({short_reason(error)}): expected a state "
            "dict, as safetensors.torch.save_file(network.state_dict(), path) writes it"
        ) from error


def _tensors(content: bytes) -> dict[str, Tensor]:
    length = int.from_bytes(content[:LENGTH], "little")
    if length > min(MOST_HEADER, len(content) - LENGTH):
        raise ValueError(f"its header has {length} bytes")
    header = json.loads(content[LENGTH : LENGTH + length])
    data = memoryview(content)[LENGTH + length :]
    tensors = {}
    held = 0
    for name, entry in header.items():
        if name != METADATA:
            tensors[name] = _tensor(entry, data)
            held += tensors[name].nbytes
            if held > len(data):  # each would be copied
                raise ValueError("its tensors share bytes")
    return tensors


def _tensor(entry: Any, data: memoryview) -> Tensor:
    if not isinstance(entry, dict):
        raise TypeError(f"a tensor is described by {entry}")
    dtype = DTYPES[entry["dtype"]]
    shape = entry["shape"]
    if not isinstance(shape, list):
        raise TypeError(f"a tensor has the shape {shape}")
    start, stop = entry["data_offsets"]
    for number in (*shape, start, stop):
        if type(number) is not int or number < 0:
            raise ValueError(f"{number} is no size")
    if stop > len(data) or stop - start != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"bytes {start} to {stop} of {len(data)} hold no {dtype} of shape {shape}")
    if start == stop:
        return torch.zeros(shape, dtype=dtype)
    stored = torch.uint8 if dtype == torch.bool else dtype  # a byte of the file may be any
    numbers = torch.frombuffer(bytearray(data[start:stop]), dtype=stored)
    return numbers.reshape(shape).to(dtype)

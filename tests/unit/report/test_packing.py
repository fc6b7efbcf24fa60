"""What is packed as the page's script unpacks it."""

import numpy as np

from convprobe.report import packing


def test_a_mask_is_a_bit_for_each_pixel():
    mask = np.array([[True, False, False, True], [False, False, False, False], [True] * 4])
    assert packing.bits(mask) == "kPA="  # as in packing.test.mjs


def test_numbers_are_deflated_with_the_lower_byte_first():
    text = packing.numbers(np.array([1, 256, 65535], np.uint16))
    assert packing.inflated(text) == b"\x01\x00\x00\x01\xff\xff"

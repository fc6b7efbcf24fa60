"""Random flips and shifts."""

import torch

from convprobe.training import augmentation, trainer


def test_flips_mirror_about_half_of_the_images_left_to_right(images):
    pixels = torch.from_numpy(images.pixels)
    flipped = augmentation.augment(pixels, "flip", trainer.generator(0, 1))
    mirrored = torch.from_numpy(images.pixels[:, :, ::-1].copy())
    same = (flipped == pixels).flatten(1).all(1)
    assert ((flipped == mirrored).flatten(1).all(1) ^ same).all()
    assert 70 < same.sum() < 130


def test_crops_shift_by_at_most_four_pixels_and_fill_with_black():
    pixels = torch.zeros(500, 9, 15, 3, dtype=torch.uint8)
    pixels[:, 4, 7] = torch.tensor(
        [9, 8, 7], dtype=torch.uint8
    )  # in the middle: flips don't move it
    moved = augmentation.augment(pixels, "flip-crop", trainer.generator(0, 1))
    images, ys, xs = (moved[..., 0] == 9).nonzero(as_tuple=True)
    assert len(images) == 500
    assert set(ys.tolist()) == set(range(9))
    assert set(xs.tolist()) == set(range(3, 12))
    assert moved.sum() == 500 * 24

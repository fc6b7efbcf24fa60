"""The drawn data set."""

import numpy as np

from convprobe.dataset import shapes


def test_masks_are_where_the_drawn_object_is():
    """Inside the mask the picture has the object's colour, outside it the background's."""
    pixels, labels, masks = shapes.draw(200, seed=(1,))
    disc = labels == shapes.CLASSES.index("disc")
    for picture, mask in zip(pixels[disc].astype(float), masks[disc], strict=True):
        inside, outside = picture[mask], picture[~mask]
        assert 60 < mask.sum() < 300
        assert np.abs(inside - np.median(inside, axis=0)).mean() < 14, "one colour and some noise"
        assert np.abs(np.median(inside, 0) - np.median(outside, 0)).sum() > 60

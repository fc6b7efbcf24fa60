"""The normalisation of a network's input that changes nothing."""

RAW = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}  # leaves pixels in [0, 1] as they are

"""Reading recorded maps, of one filter or of one image: our chunks against those that h5py chooses.

    python benchmarks/activations.py results/cifar10/normalised/epoch-13/filters/activations.h5

The maps in the file, repeated up to 10,000 images where it has fewer, are written by the workflow's
own function, and with automatic chunks for comparison. Times are processor times; the files are in
the system's cache.
"""

import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from occlusion import processor

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from convprobe.filters import activations
from convprobe.store import hdf5

IMAGES, BATCH, REPEATS = 10_000, 250, 20


def filters_in(file):
    return [f"{layer}/{channel}" for layer in file for channel in file[layer]]


def read_all(path):
    """Maps of every filter, repeated: dict of float32 (image, y, x)."""
    with hdf5.open_complete(path) as file:
        recorded = {name: file[f"{name}/maps"][:] for name in filters_in(file)}
    return {name: np.resize(maps, (IMAGES, *maps.shape[1:])) for name, maps in recorded.items()}


def write_automatically(path, maps):
    with h5py.File(path, "w") as file:
        for name, values in maps.items():
            options = {"maxshape": (None, *values.shape[1:]), "chunks": True, "compression": "lzf"}
            file.create_dataset(f"{name}/maps", data=values, **options)


def milliseconds(read):
    """Median and maximum of several reads, each of another filter or image."""
    times = []
    for number in range(REPEATS):
        start = time.process_time()
        read(number)
        times.append(1000 * (time.process_time() - start))
    return f"{np.median(times):.2f} ms (at most {max(times):.2f})"


def report(path, label, maps):
    with h5py.File(path) as file:
        names = filters_in(file)
        one_filter = milliseconds(lambda number: file[f"{names[number % len(names)]}/maps"][:])
        one_image = milliseconds(
            lambda number: [file[f"{name}/maps"][number * 401 % IMAGES] for name in names]
        )
    share = path.stat().st_size / sum(values.nbytes for values in maps.values())
    print(
        f"{label}: one filter {one_filter}, one image of all {len(names)} filters {one_image}, "
        f"file {share:.2f} of the size of its numbers"
    )


def main():
    maps = read_all(sys.argv[1])
    batches = []
    for start in range(0, IMAGES, BATCH):
        rows = slice(start, start + BATCH)
        batches.append({name: values[rows] for name, values in maps.items()})
    with tempfile.TemporaryDirectory() as folder:
        ours, automatic = Path(folder) / "activations.h5", Path(folder) / "automatic.h5"
        activations.write(ours, batches, list(maps), "")
        write_automatically(automatic, maps)
        report(ours, "64 images per chunk", maps)
        report(automatic, "automatic chunks", maps)
    print(f"{IMAGES} images, n = {REPEATS}, h5py {h5py.__version__}, {processor()}")


if __name__ == "__main__":
    main()

"""Occlusion maps of one window size."""

from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.network import checkpoints, devices
from convprobe.occlusion import windows
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        settings = snakemake.params.settings
        window, fill, precision = settings["window"], settings["fill"], settings["precision"]
        stride = settings["stride"]
        images = image_file.read(snakemake.input.images, "test", settings["images"])
        device = devices.choose(snakemake.threads)
        network = checkpoints.load(snakemake.input.checkpoint, device).network
        maps, clean = windows.sweep(
            network, images.pixels, window, fill, precision, job, stride=stride
        )
        digest = files.sha256(snakemake.input.checkpoint)
        windows.write(snakemake.output.maps, maps, clean, images, settings, digest, stride)

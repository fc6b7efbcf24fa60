"""The test images that each filter of the network answers to most."""

from convprobe.dataset import image_file
from convprobe.filters import ranking
from convprobe.job import runtime
from convprobe.network import checkpoints, devices
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        images = image_file.read(snakemake.input.images, "test")
        device = devices.choose(snakemake.threads)
        network = checkpoints.load(snakemake.input.checkpoint, device).network
        table = ranking.top_images(network, images, snakemake.params.settings["top"], job)
        tables.write(snakemake.output.table, table)

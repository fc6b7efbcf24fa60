"""The test images that each chosen filter answers to most."""

from convprobe.filters import top_patches
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        settings = snakemake.params.settings
        chosen, top, network = settings["chosen"], settings["top"], settings["network"]
        table = top_patches.top_images(
            snakemake.input.activations, snakemake.input.images, chosen, top, network
        )
        tables.write(snakemake.output.table, table)

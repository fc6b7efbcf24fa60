"""The pixels of the top images that the peaks of the chosen filters see."""

from convprobe.filters import top_patches
from convprobe.job import runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        network = snakemake.params.settings["network"]
        top_patches.cut_patches(
            snakemake.output.patches, snakemake.input.table, snakemake.input.images, network
        )

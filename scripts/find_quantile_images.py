"""The test images at quantiles of each chosen filter's responses."""

from convprobe.filters import quantiles
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        table = quantiles.images_at_quantiles(
            snakemake.input.activations,
            snakemake.input.images,
            snakemake.params.settings["chosen"],
        )
        tables.write(snakemake.output.table, table)

"""The first test images with their class before and after the ablation, as published."""

from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        predictions = tables.read(snakemake.input.predictions)
        tables.write(
            snakemake.output.first_images,
            predictions.head(snakemake.params.settings["table_images"]),
        )

"""The first test images with their true, clean and ablated class, as the study printed them."""

from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        predictions = tables.read(snakemake.input.predictions)
        first = predictions.head(snakemake.params.settings["table_images"])
        tables.write(snakemake.output.first_images, first)

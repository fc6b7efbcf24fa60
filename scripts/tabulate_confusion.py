"""Confusion of the clean and the ablated network, and the images whose prediction changes."""

from convprobe.ablation import tabulation
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        predictions = tables.read(snakemake.input.predictions)
        classes = image_file.classes(snakemake.input.images)
        for state in tabulation.STATES:
            counts = tabulation.confusion(predictions, state, classes)
            tables.write(snakemake.output[state], counts, index=True)
        tables.write(snakemake.output.class_pairs, tabulation.class_pairs(predictions))
        tables.write(snakemake.output.flips, tabulation.flips(predictions))

"""Accuracy of each variant, on all images and on those of each class."""

from convprobe.ablation import tabulation
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        predictions = tables.read(snakemake.input.predictions)
        classes = image_file.classes(snakemake.input.images)
        chosen = snakemake.params.settings["chosen"]
        variants = tabulation.read_variants(snakemake.input.variants, predictions, chosen, classes)
        table = tabulation.accuracies(variants, predictions["class"])
        tables.write(snakemake.output.accuracy, table)
        by_class = tabulation.class_accuracies(variants, predictions["class"], classes)
        tables.write(snakemake.output.class_accuracy, by_class)

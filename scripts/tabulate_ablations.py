"""How often each variant is right, about all images and those of each class."""

from convprobe.ablation import tabulation
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        predictions, classes = (
            tables.read(snakemake.input.predictions),
            image_file.classes(snakemake.input.images),
        )
        chosen = snakemake.params.settings["chosen"]
        predicted = tabulation.read_variants(snakemake.input.variants, predictions, chosen, classes)
        table = tabulation.accuracies(predicted, predictions["class"])
        tables.write(snakemake.output.accuracy, table)
        by_class = tabulation.class_accuracies(predicted, predictions["class"], classes)
        tables.write(snakemake.output.class_accuracy, by_class)

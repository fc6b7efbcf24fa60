"""How accurate the clean and the ablated network are about each class."""

from convprobe import style
from convprobe.ablation import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        predictions = tables.read(snakemake.input.predictions)
        ablation = figures.describe(settings["chosen"], settings["mode"])
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.class_accuracy(snakemake.output.figure, predictions, ablation, run, checkpoint)

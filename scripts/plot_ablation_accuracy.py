"""Accuracy of each variant, the chosen filters held against random ones."""

from convprobe import style
from convprobe.ablation import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        table = tables.read(snakemake.input.accuracy)
        ablation = figures.describe(settings["chosen"], settings["mode"])
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.accuracy(snakemake.output.figure, table, ablation, run, checkpoint)

"""Accuracy of each variant, the chosen filters held against random ones."""

from convprobe import style
from convprobe.ablation import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        table = tables.read(snakemake.input.accuracy)
        ablation = figures.describe(**snakemake.params.settings)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.accuracy(snakemake.output.figure, table, ablation, run, checkpoint)

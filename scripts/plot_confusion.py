"""Confusion of the clean and the ablated network, and the change."""

from convprobe import style
from convprobe.ablation import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        clean = tables.read_counts(snakemake.input.clean)
        ablated = tables.read_counts(snakemake.input.ablated)
        ablation = figures.describe(settings["chosen"], settings["mode"])
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.confusion(snakemake.output.figure, clean, ablated, ablation, run, checkpoint)

"""Confusion before and after the ablation, and its change."""

from convprobe import style
from convprobe.ablation import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        clean, ablated = (
            tables.read_counts(snakemake.input[state]) for state in ("clean", "ablated")
        )
        off = figures.switched_off(**snakemake.params.settings)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.confusion(snakemake.output.figure, clean, ablated, off, run, checkpoint)

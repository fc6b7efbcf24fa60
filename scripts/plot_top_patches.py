"""The top patches of the chosen filters, one column per filter."""

from convprobe import style
from convprobe.filters import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        table = tables.read(snakemake.input.table)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.top_patches(
            snakemake.output.figure, snakemake.input.patches, table, run, checkpoint
        )

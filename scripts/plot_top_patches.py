"""The top patches of the chosen filters, one column per filter."""

from convprobe import style
from convprobe.filters import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        table = tables.read(snakemake.input.table)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        patches, as_published = snakemake.input.patches, settings["as_published"]
        figures.top_patches(snakemake.output.figure, patches, table, run, checkpoint, as_published)

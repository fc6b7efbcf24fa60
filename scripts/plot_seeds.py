"""The learning curves of all seeds of a run and their mean, as a figure."""

from convprobe import style
from convprobe.job import runtime
from convprobe.store import tables
from convprobe.training import figures

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        table = tables.read(snakemake.input.table)
        figures.seeds(snakemake.output.figure, table, snakemake.wildcards.group)

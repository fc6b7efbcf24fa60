"""The learning curve as a figure, the selected epoch marked."""

from convprobe import style
from convprobe.job import runtime
from convprobe.store import files, tables
from convprobe.training import figures

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        table = tables.read(snakemake.input.table)
        selection = files.read_json(snakemake.input.selection)
        figures.learning_curve(snakemake.output.figure, table, selection, snakemake.wildcards.run)

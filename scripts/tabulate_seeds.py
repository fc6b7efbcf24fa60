"""The learning curves of all seeds of a run, one row per seed and epoch."""

from convprobe.job import runtime
from convprobe.store import tables
from convprobe.training import seeds

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        curves = [tables.read(path) for path in snakemake.input.curves]
        table = seeds.curves(curves, snakemake.params.settings["seeds"])
        tables.write(snakemake.output.table, table)

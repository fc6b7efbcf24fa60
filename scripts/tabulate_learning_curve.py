"""The learning curve of a run, one row per epoch."""

from convprobe.job import runtime
from convprobe.store import tables
from convprobe.training import selection

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        table = selection.learning_curve(snakemake.input.evaluations, snakemake.input.records)
        tables.write(snakemake.output.table, table)

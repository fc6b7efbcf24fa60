"""The epoch of a run that is probed."""

from convprobe.job import runtime
from convprobe.store import files, tables
from convprobe.training import selection

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        counts = tables.read(snakemake.input.classes)["test"].tolist()
        chosen = selection.choose(snakemake.input.evaluations, snakemake.params.settings, counts)
        files.write_json(snakemake.output.selection, chosen)

"""Which of the study's claims hold."""

from convprobe.job import runtime
from convprobe.report import card
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        table = card.of_files(dict(snakemake.input.items()), snakemake.params.settings)
        tables.write(snakemake.output.card, table)

"""One page of the whole experiment."""

from pathlib import Path

from convprobe.job import runtime
from convprobe.report import explorer

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        page = snakemake.output.page
        explorer.write(page, Path(page).parent, snakemake.params.settings)

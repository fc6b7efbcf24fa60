"""The archive of a published data set, from its authors."""

from convprobe.dataset import kinds
from convprobe.job import runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        kind = kinds.of(snakemake.config["dataset"])
        kind.download(snakemake.output.archive, job)

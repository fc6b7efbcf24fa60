"""The archive of CIFAR-10, from its authors."""

from convprobe.dataset import cifar10
from convprobe.job import runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        cifar10.download_archive(snakemake.output.archive, job=job)

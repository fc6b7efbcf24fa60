"""The data set, brought into one HDF5 file."""

from convprobe import datasets, runtime, sources

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        splits = sources.load(snakemake.params.settings, snakemake.input.get("source"))
        datasets.write(snakemake.output.images, splits)

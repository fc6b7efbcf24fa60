"""Mean and deviation of the training images."""

from convprobe import datasets
from convprobe.job import runtime
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        images = datasets.read(snakemake.input.images, "train")
        files.write_json(snakemake.output.normalisation, datasets.normalisation(images.pixels))

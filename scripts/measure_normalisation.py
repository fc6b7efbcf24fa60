"""Mean and deviation of the training images."""

from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        images = image_file.read(snakemake.input.images, "train")
        files.write_json(snakemake.output.normalisation, image_file.normalisation(images.pixels))

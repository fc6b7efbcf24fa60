"""A checkpoint of weights that were trained elsewhere."""

from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.network import checkpoints, weights
from convprobe.network.normalisation import RAW
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        settings = snakemake.params.settings
        images = snakemake.input.images
        normalisation = files.read_json(snakemake.input.normalisation)
        checkpoint = weights.read(
            snakemake.input.weights,
            settings["network"],
            image_file.classes(images),
            image_file.image_size(images),
            measured={key: normalisation[key] for key in RAW},
            given=settings["normalisation"],
        )
        checkpoints.save(snakemake.output.checkpoint, checkpoint)

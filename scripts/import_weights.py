"""A checkpoint of weights that were trained elsewhere."""

from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.network import checkpoints, weights
from convprobe.network.layers import RAW
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        settings = snakemake.params.settings
        classes, side = (
            image_file.classes(snakemake.input.images),
            image_file.side(snakemake.input.images),
        )
        measured = {key: files.read_json(snakemake.input.normalisation)[key] for key in RAW}
        given = settings["normalisation"]
        checkpoint = weights.read(
            snakemake.input.weights, settings["network"], classes, side, measured, given
        )
        checkpoints.save(snakemake.output.checkpoint, checkpoint)

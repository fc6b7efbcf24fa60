"""A checkpoint of weights that were trained elsewhere."""

from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.network import checkpoints, weights
from convprobe.network.layers import RAW
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        settings = snakemake.params.settings
        classes = image_file.classes(snakemake.input.images)
        side = image_file.side(snakemake.input.images)
        measured = files.read_json(snakemake.input.normalisation)
        measured = {key: measured[key] for key in RAW}
        checkpoint = weights.read(
            snakemake.input.weights,
            settings["network"],
            classes,
            side,
            measured,
            settings["normalisation"],
        )
        checkpoints.save(snakemake.output.checkpoint, checkpoint)

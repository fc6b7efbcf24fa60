"""A checkpoint of weights that were trained elsewhere."""

from convprobe import checkpoints, datasets, files, runtime, weights
from convprobe.network import RAW

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        settings = snakemake.params.settings
        classes, side = datasets.classes(snakemake.input.images), datasets.side(snakemake.input.images)
        measured = files.read_json(snakemake.input.normalisation)
        normalisation = settings["normalisation"] or {key: measured[key] for key in RAW}
        checkpoint = weights.read(snakemake.input.weights, settings["network"], classes, side, normalisation)
        checkpoints.save(snakemake.output.checkpoint, checkpoint)

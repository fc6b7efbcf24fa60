"""Loss and accuracy of one epoch's weights."""

from convprobe import checkpoints, datasets, evaluation, files, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads) as job:
        network = checkpoints.load(snakemake.input.checkpoint, job.device).network
        splits = {split: datasets.read(snakemake.input.images, split) for split in snakemake.params.settings["splits"]}
        measured = {split: evaluation.evaluate(network, images, job) for split, images in splits.items()}
        files.write_json(snakemake.output.evaluation, measured)

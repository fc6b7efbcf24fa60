"""One epoch of training, from the weights after the epoch before."""

from convprobe import checkpoints, datasets, files, runtime, training

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads) as job:
        settings = snakemake.params.settings
        images = datasets.read(snakemake.input.images, "train")
        if snakemake.input.previous:
            checkpoint, state = training.resume(*snakemake.input.previous)
        else:
            normalisation = files.read_json(snakemake.input.normalisation)
            checkpoint, state = training.begin(images, settings["network"], normalisation, settings["training"])
        record, state = training.train_epoch(checkpoint, state, images, settings["training"], job)
        checkpoints.save(snakemake.output.checkpoint, checkpoint)
        checkpoints.save_tensors(snakemake.output.optimizer, state)
        files.write_json(snakemake.output.record, record)

"""Accuracy without the chosen filters, and without as many random ones."""

from convprobe import ablation, checkpoints, datasets, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads) as job:
        settings = snakemake.params.settings
        images = datasets.read(snakemake.input.images, "test")
        network = checkpoints.load(snakemake.input.checkpoint, job.device).network
        controls = ablation.draw_controls(network, settings["chosen"], settings["random_controls"], settings["seed"])
        table = ablation.accuracies(network, settings["chosen"], controls, images, job)
        tables.write(snakemake.output.accuracy, table)

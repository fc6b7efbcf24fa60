"""What the peaks of the top images see."""

from convprobe import activations, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        network = snakemake.params.settings["network"]
        activations.cut_patches(snakemake.output.patches, snakemake.input.table, snakemake.input.images, network)

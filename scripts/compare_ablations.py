"""What the network predicts without each chosen filter, each layer's, and random ones."""

from convprobe.ablation import passes, variants
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.network import checkpoints, devices
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        settings = snakemake.params.settings
        images = image_file.read(snakemake.input.images, "test")
        device = devices.choose(snakemake.threads)
        network = checkpoints.load(snakemake.input.checkpoint, device).network
        controls = variants.draw_controls(
            network, settings["chosen"], settings["random_controls"], settings["seed"]
        )
        filters = variants.parts_and_controls(settings["chosen"], controls)
        logits = passes.predict(network, filters.values(), images, settings["mode"], job)
        digest = files.sha256(snakemake.input.checkpoint)
        variants.write_variants(
            snakemake.output.variants, filters, logits, images, settings["mode"], digest
        )

"""What the clean network and the one without the chosen filters predict for every test image."""

from convprobe.ablation import variants
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.network import checkpoints, devices
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        settings = snakemake.params.settings
        images = image_file.read(snakemake.input.images, "test")
        device = devices.choose(snakemake.threads)
        network = checkpoints.load(snakemake.input.checkpoint, device).network
        table = variants.predictions(network, settings["chosen"], images, settings["mode"], job)
        tables.write(snakemake.output.predictions, table)

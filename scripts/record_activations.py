"""Maps and responses of the chosen filters for every test image."""

from convprobe.dataset import image_file
from convprobe.filters import activations, kernels
from convprobe.job import runtime
from convprobe.network import checkpoints, devices
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        chosen = snakemake.params.settings["chosen"]
        images = image_file.read(snakemake.input.images, "test")
        device = devices.choose(snakemake.threads)
        network = checkpoints.load(snakemake.input.checkpoint, device).network
        batches = activations.record(network, images, chosen, job)
        activations.write(
            snakemake.output.activations,
            batches,
            chosen,
            files.sha256(snakemake.input.checkpoint),
            kernels.of_network(network),
        )

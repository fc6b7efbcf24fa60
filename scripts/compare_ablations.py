"""What the network predicts without each chosen filter, each layer's, and random ones."""

from functools import partial
from pathlib import Path

from convprobe.ablation import variants, variants_per_process
from convprobe.dataset import image_file
from convprobe.job import runtime, shared_process
from convprobe.network import checkpoints, devices
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs = snakemake.input
        path = Path(snakemake.output.variants)
        settings = snakemake.params.settings
        images = image_file.read(inputs.images, "test")
        device = devices.choose(snakemake.threads)
        network = checkpoints.load(inputs.checkpoint, device).network
        chosen = settings["chosen"]
        controls = variants.draw_controls(
            network, chosen, settings["random_controls"], settings["seed"]
        )
        variants_per_process.write(
            path,
            partial(
                shared_process.shelf,
                path.parent,
                [snakemake.resources.predicted_by],
                [inputs.images, inputs.checkpoint],
            ),
            network,
            chosen,
            variants.parts_and_controls(chosen, controls),
            images,
            settings["mode"],
            files.sha256(inputs.checkpoint),
            job,
        )

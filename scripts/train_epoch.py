"""One epoch of training; the same process trains the next ones ahead while they are quick."""

from pathlib import Path

from convprobe.job import runtime, shared_process
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs = snakemake.input
        outputs = dict(snakemake.output.items())
        folder = Path(outputs["checkpoint"]).parent
        made_from = [inputs.images, inputs.normalisation]
        with shared_process.shelf(folder, snakemake.params, made_from) as shelf:
            if not shelf.take(outputs, *inputs.previous):
                # Only now: PyTorch takes seconds to import.
                from convprobe.dataset import image_file
                from convprobe.network import devices
                from convprobe.training import epochs_per_process, trainer

                network = snakemake.params.settings["network"]
                settings = snakemake.params.settings["training"]
                last_epoch = snakemake.resources.last_epoch
                images = image_file.read(inputs.images, "train")
                if inputs.previous:
                    before = trainer.resume(*inputs.previous)
                else:
                    normalisation = files.read_json(inputs.normalisation)
                    before = trainer.begin(images, network, normalisation, settings)
                device = devices.choose(snakemake.threads)
                epochs = epochs_per_process.train(
                    *before, images, settings, last_epoch, device, job
                )
                epochs_per_process.write(outputs, shelf, epochs)

"""One epoch of training, from the weights after the epoch before; the next ones ahead while they are quick."""

from pathlib import Path

from convprobe.job import ahead, runtime
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs, settings = snakemake.input, snakemake.params.settings
        outputs = dict(snakemake.output.items())
        made_from = [inputs.images, inputs.normalisation]
        with ahead.shelf(
            Path(outputs["checkpoint"]).parent, list(snakemake.params), made_from
        ) as shelf:
            if not shelf.take(outputs, *inputs.previous):
                from convprobe.dataset import image_file  # PyTorch takes seconds to import
                from convprobe.network import devices
                from convprobe.training import trainer  # PyTorch takes seconds to import

                images = image_file.read(inputs.images, "train")
                if inputs.previous:
                    begun = trainer.resume(*inputs.previous)
                else:
                    normalisation = files.read_json(inputs.normalisation)
                    begun = trainer.begin(
                        images, settings["network"], normalisation, settings["training"]
                    )
                last = snakemake.resources.last_epoch
                device = devices.choose(snakemake.threads)
                epochs = trainer.train(*begun, images, settings["training"], last, device, job)
                trainer.write_epochs(outputs, shelf, epochs)

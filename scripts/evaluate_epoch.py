"""Loss and accuracy of one epoch's weights; of other epochs ahead while they are quick."""

from pathlib import Path

from convprobe.job import ahead, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs, settings = snakemake.input, snakemake.params.settings
        outputs = dict(snakemake.output.items())
        with ahead.shelf(
            Path(outputs["evaluation"]).parent, list(snakemake.params), [inputs.images]
        ) as shelf:
            if not shelf.take(outputs, inputs.checkpoint):
                from convprobe.dataset import image_file  # PyTorch takes seconds to import
                from convprobe.network import devices
                from convprobe.training import evaluation  # PyTorch takes seconds to import

                splits = {
                    split: image_file.read(inputs.images, split) for split in settings["splits"]
                }
                last = snakemake.resources.last_epoch
                device = devices.choose(snakemake.threads)
                evaluation.write_evaluations(
                    outputs, shelf, inputs.checkpoint, last, splits, device, job
                )

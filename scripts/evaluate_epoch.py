"""Loss and accuracy of one epoch; the same process evaluates others ahead while they are quick."""

from pathlib import Path

from convprobe.job import runtime, shared_process

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs = snakemake.input
        outputs = dict(snakemake.output.items())
        folder = Path(outputs["evaluation"]).parent
        evaluated = [inputs.images, *inputs.held_out]
        with shared_process.shelf(folder, snakemake.params, evaluated) as shelf:
            if not shelf.take(outputs, inputs.checkpoint):
                # Only now: PyTorch takes seconds to import.
                from convprobe.dataset import image_file
                from convprobe.network import devices
                from convprobe.training import evaluation

                splits = {"test": image_file.read(inputs.images, "test")}
                for path in inputs.held_out:
                    splits["validation"] = image_file.read(path, "validation")
                last_epoch = snakemake.resources.last_epoch
                device = devices.choose(snakemake.threads)
                evaluation.write_evaluations(
                    outputs, shelf, inputs.checkpoint, last_epoch, splits, device, job
                )

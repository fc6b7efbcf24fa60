"""What the clean network and the one without the chosen filters predict for every test image."""

from pathlib import Path

from convprobe.job import runtime, shared_process

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs = snakemake.input
        outputs = dict(snakemake.output.items())
        folder = Path(outputs["predictions"]).parent
        made_from = [inputs.images, inputs.checkpoint]
        predicted_by = [snakemake.resources.predicted_by]
        with shared_process.shelf(folder, predicted_by, made_from) as shelf:
            is_made = shelf.take(outputs)
        if not is_made:
            # Only now: PyTorch takes seconds to import.
            from convprobe.ablation import variants
            from convprobe.dataset import image_file
            from convprobe.network import checkpoints, devices
            from convprobe.store import tables

            settings = snakemake.params.settings
            images = image_file.read(inputs.images, "test")
            device = devices.choose(snakemake.threads)
            network = checkpoints.load(inputs.checkpoint, device).network
            table = variants.predictions(network, settings["chosen"], images, settings["mode"], job)
            tables.write(outputs["predictions"], table)
            shelf.place().mkdir(parents=True, exist_ok=True)  # empty, as if taken from there

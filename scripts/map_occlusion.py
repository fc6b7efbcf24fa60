"""Occlusion maps of one window size; the same process makes those of others that share its work."""

from functools import partial
from pathlib import Path

from convprobe.job import runtime, shared_process

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]) as job:
        inputs = snakemake.input
        path = Path(snakemake.output.maps)
        window = int(snakemake.wildcards.window)
        shard = snakemake.wildcards.get("shard")  # in a folder of the window
        folder = path.parents[1] / f".shard-{shard}" if shard else path.parent
        made_from = [inputs.images, inputs.checkpoint]
        shared_shelf = partial(shared_process.shelf, folder, snakemake.params, made_from)
        with shared_shelf() as shelf:
            is_made = shelf.take({"maps": path}, of=window)
        if not is_made:
            # Only now: PyTorch takes seconds to import.
            from convprobe.dataset import image_file
            from convprobe.network import checkpoints, devices
            from convprobe.occlusion import windows_per_process
            from convprobe.occlusion.window_settings import WindowSettings
            from convprobe.store import files

            given = snakemake.params.settings
            device = devices.choose(snakemake.threads)
            occlusion = windows_per_process.OcclusionInputs(
                checkpoints.load(inputs.checkpoint, device).network,
                image_file.read(inputs.images, "test", given["images"]),
                WindowSettings(window, given["fill"], given["precision"], given["stride"]),
                files.sha256(inputs.checkpoint),
                job,
            )
            others = snakemake.config["occlusion"]["windows"]
            windows_per_process.write(path, shared_shelf, occlusion, others)

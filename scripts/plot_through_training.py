"""Occlusion maps and top patches of several epochs of a run, side by side."""

import pandas as pd

from convprobe import style
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.report import through_training
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        epochs = settings["epochs"]
        indices = through_training.shown_images(snakemake.input.maps[0])
        images = image_file.read(snakemake.input.images, "test", indices)
        maps, patches = snakemake.input.maps, snakemake.input.get("patches", [])
        top = None
        if patches:
            top = pd.concat(map(tables.read, snakemake.input.tables), keys=epochs)
        run = snakemake.wildcards.run
        through_training.draw(snakemake.output.figure, images, epochs, maps, patches, top, run)

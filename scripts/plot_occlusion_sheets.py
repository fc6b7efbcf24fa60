"""Sheets of four images and their occlusion maps, as published."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.occlusion import figures

if __name__ == "__main__":
    settings = snakemake.params.settings
    drawing = style.drawn_from(snakemake.input, settings["captions"])
    with runtime.job(snakemake.log[0]) as job, drawing:
        sheets = settings["sheets"]
        maps = snakemake.input.maps
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        drawn = list(zip(sheets, snakemake.output.figure, strict=True))
        for shown, path in job.each(drawn, "sheets"):
            images = image_file.read(snakemake.input.images, "test", shown)
            figures.occlusion_sheet(path, images, maps, run, checkpoint)

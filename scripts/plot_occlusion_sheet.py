"""Four images and their occlusion maps, as published."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.occlusion import figures

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        shown = snakemake.params.settings["images"]
        images = image_file.read(snakemake.input.images, "test", shown)
        maps = snakemake.input.maps
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.occlusion_sheet(snakemake.output.figure, images, maps, run, checkpoint)

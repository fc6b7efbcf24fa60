"""Four images and their occlusion maps, as published."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.occlusion import figures

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        images = image_file.read(
            snakemake.input.images, "test", snakemake.params.settings["images"]
        )
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.occlusion_sheet(
            snakemake.output.figure, images, snakemake.input.maps, run, checkpoint
        )

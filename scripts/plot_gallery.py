"""The images that are right with all filters and wrong without the chosen ones."""

from convprobe import style
from convprobe.ablation import figures, tabulation
from convprobe.dataset import image_file
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        lost = tabulation.lost_images(tables.read(snakemake.input.flips))
        shown = lost.head(figures.GALLERY_IMAGES)
        images = image_file.read(snakemake.input.images, "test", shown["image"].tolist())
        ablation = figures.describe(settings["chosen"], settings["mode"])
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.gallery(
            snakemake.output.figure, images, shown, len(lost), ablation, run, checkpoint
        )

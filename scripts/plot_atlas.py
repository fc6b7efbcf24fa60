"""A page of the atlas: what up to 100 filters of a layer answer to."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.filters import figures
from convprobe.job import runtime
from convprobe.network import filter_layers, graphs
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        settings = snakemake.params.settings
        layer = snakemake.wildcards.layer
        table = tables.read(snakemake.input.table)
        rows = table[(table["layer"] == layer) & table["channel"].between(*settings["channels"])]
        shown = sorted(rows["image"].unique().tolist())
        images = image_file.read(snakemake.input.images, "test", shown)
        graph = graphs.of(settings["network"], images.image_size)
        fields = filter_layers.of_graph(graph)[layer].fields
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.atlas_page(snakemake.output.figure, images, rows, fields, run, checkpoint)

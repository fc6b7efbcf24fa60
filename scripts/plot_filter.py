"""What one chosen filter answers to: images, boxes, patches and maps."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.filters import figures, top_patches
from convprobe.job import runtime
from convprobe.network import filter_layers, graphs
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input):
        layer = snakemake.wildcards.layer
        channel = int(snakemake.wildcards.channel)
        table = tables.read(snakemake.input.table)
        rows = table[(table["layer"] == layer) & (table["channel"] == channel)]
        images = image_file.read(snakemake.input.images, "test", rows["image"].tolist())
        name = f"{layer}/{channel}"
        maps = top_patches.read_maps(snakemake.input.activations, name, rows["image"])
        graph = graphs.of(snakemake.params.settings["network"], images.image_size)
        fields = filter_layers.of_graph(graph)[layer].fields
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.one_filter(snakemake.output.figure, images, maps, rows, fields, run, checkpoint)

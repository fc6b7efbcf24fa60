"""What each chosen filter answers to: images, boxes, patches and maps."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.filters import figures, top_patches
from convprobe.job import runtime
from convprobe.network import filter_layers, graphs
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    drawing = style.drawn_from(snakemake.input, settings["captions"])
    with runtime.job(snakemake.log[0]) as job, drawing:
        table = tables.read(snakemake.input.table)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        drawn = list(zip(settings["chosen"], snakemake.output.figure, strict=True))
        for name, path in job.each(drawn, "figures"):
            layer, channel = filter_layers.split_name(name)
            rows = table[(table["layer"] == layer) & (table["channel"] == channel)]
            images = image_file.read(snakemake.input.images, "test", rows["image"].tolist())
            maps = top_patches.read_maps(snakemake.input.activations, name, rows["image"])
            graph = graphs.of(settings["network"], images.image_size)
            fields = filter_layers.of_graph(graph)[layer].fields
            figures.one_filter(path, images, maps, rows, fields, run, checkpoint)

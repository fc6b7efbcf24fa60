"""The atlas: what every filter answers to, up to 100 filters of a layer on each page."""

from convprobe import style
from convprobe.dataset import image_file
from convprobe.filters import atlas
from convprobe.job import runtime
from convprobe.network import filter_layers, graphs
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    drawing = style.drawn_from(snakemake.input, settings["captions"])
    with runtime.job(snakemake.log[0]) as job, drawing:
        table = tables.read(snakemake.input.table)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        drawn = list(zip(settings["pages"], snakemake.output.figure, strict=True))
        for (layer, first, last), path in job.each(drawn, "pages"):
            rows = table[(table["layer"] == layer) & table["channel"].between(first, last)]
            shown = sorted(rows["image"].unique().tolist())
            images = image_file.read(snakemake.input.images, "test", shown)
            graph = graphs.of(settings["network"], images.image_size)
            fields = filter_layers.of_graph(graph)[layer].fields
            atlas.page(path, images, rows, fields, run, checkpoint)

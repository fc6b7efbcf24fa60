"""Which classes are predicted as which others without the chosen filters."""

from convprobe import style
from convprobe.ablation import figures
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    settings = snakemake.params.settings
    with runtime.job(snakemake.log[0]), style.drawn_from(snakemake.input, settings["captions"]):
        predictions = tables.read(snakemake.input.predictions)
        # `clean` and `ablated` are counts here.
        pairs = tables.read(snakemake.input.class_pairs, class_names=("class", "predicted"))
        ablation = figures.describe(settings["chosen"], settings["mode"])
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        figures.class_pairs(snakemake.output.figure, pairs, predictions, ablation, run, checkpoint)

"""A page of the atlas: what up to 100 filters of a layer answer to."""

from convprobe import datasets, filter_figures, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        channels = snakemake.params.settings["channels"]
        table = tables.read(snakemake.input.table)
        rows = table[(table["layer"] == snakemake.wildcards.layer) & table["channel"].between(*channels)]
        images = datasets.read(snakemake.input.images, "test", sorted(rows["image"].unique().tolist()))
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        filter_figures.atlas_page(snakemake.output.figure, images, rows, run, checkpoint)

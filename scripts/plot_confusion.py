"""Confusion before and after the ablation, its change, and who changed."""

from convprobe import ablation_figures, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        before, after = (tables.read(snakemake.input[state], index_col=0) for state in ("before", "after"))
        predictions, pairs = tables.read(snakemake.input.predictions), tables.read(snakemake.input.class_pairs)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        ablation_figures.confusion(snakemake.output.confusion, before, after, run, checkpoint)
        ablation_figures.class_pairs(snakemake.output.class_pairs, pairs, predictions, run, checkpoint)

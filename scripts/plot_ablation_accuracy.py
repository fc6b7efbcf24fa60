"""How often each variant is right, the chosen filters held against random ones."""

from convprobe import ablation_figures, style
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads), style.drawn_from(snakemake.input):
        table = tables.read(snakemake.input.accuracy)
        off = ablation_figures.switched_off(**snakemake.params.settings)
        run, checkpoint = snakemake.wildcards.run, snakemake.wildcards.checkpoint
        ablation_figures.accuracy(snakemake.output.figure, table, off, run, checkpoint)

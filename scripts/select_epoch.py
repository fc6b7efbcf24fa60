"""The epoch of a run that is probed."""

from convprobe import files, runtime, selection

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        chosen = selection.choose(snakemake.input.evaluations, snakemake.params.settings)
        files.write_json(snakemake.output.selection, chosen)

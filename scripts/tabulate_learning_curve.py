"""The learning curve of a run, a row an epoch."""

from convprobe import files, runtime, selection

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        table = selection.learning_curve(snakemake.input.evaluations, snakemake.input.records)
        files.write_csv(snakemake.output.table, table)

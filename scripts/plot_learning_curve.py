"""The learning curve as a figure, the selected epoch marked."""

from convprobe import figures, files, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        table = files.read_csv(snakemake.input.table)
        selection = files.read_json(snakemake.input.selection)
        figures.learning_curve(snakemake.output.figure, table, selection, snakemake.wildcards.run)

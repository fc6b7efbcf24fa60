"""The occlusion maps of all windows, a row per window and image."""

from convprobe import occlusion_summary, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        table = occlusion_summary.summarise(snakemake.input.maps, snakemake.input.images)
        tables.write(snakemake.output.summary, table)

"""The occlusion maps of all windows, a row per window and image."""

from convprobe import occlusion, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        tables.write(snakemake.output.summary, occlusion.summarise(snakemake.input.maps))

"""The occlusion maps of all windows, a row per window and image."""

from convprobe import files, occlusion, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        files.write_csv(snakemake.output.summary, occlusion.summarise(snakemake.input.maps))

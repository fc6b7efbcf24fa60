"""One page of the whole experiment."""

from convprobe import explorer, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        settings = snakemake.params.settings
        explorer.write(snakemake.output.page, settings["title"], settings["sections"])

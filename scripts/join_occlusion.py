"""The occlusion maps of one window, joined from those of its shards."""

from convprobe import occlusion
from convprobe.job import runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        occlusion.join(snakemake.output.maps, snakemake.input.shards)

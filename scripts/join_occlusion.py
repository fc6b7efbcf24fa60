"""The occlusion maps of one window, joined from those of its shards."""

from convprobe.job import runtime
from convprobe.occlusion import window_file

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        window_file.join(snakemake.output.maps, snakemake.input.shards)

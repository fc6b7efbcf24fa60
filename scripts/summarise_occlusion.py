"""The occlusion maps of all windows in numbers, and whether they find the objects."""

from convprobe.job import runtime
from convprobe.occlusion import summary
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        by_image, by_window = summary.summarise(snakemake.input.maps, snakemake.input.images)
        tables.write(snakemake.output.summary, by_image)
        tables.write(snakemake.output.localisation, by_window)

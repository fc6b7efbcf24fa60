"""How far the occlusion maps of the probed networks agree."""

from convprobe.job import runtime
from convprobe.occlusion import agreement
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        settings = snakemake.params.settings
        paths = agreement.paths_of(settings["networks"], settings["windows"], snakemake.input.maps)
        table = agreement.of_networks(paths)
        tables.write(snakemake.output.table, table)
        tables.write(snakemake.output.means, agreement.means(table))

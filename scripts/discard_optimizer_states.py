"""The states of the optimizer that the config doesn't ask to keep are deleted."""

from convprobe.job import runtime
from convprobe.store import files
from convprobe.training import states

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        gone = states.discard(**snakemake.params.settings)
        files.write_json(snakemake.output.discarded, {"epochs": gone})

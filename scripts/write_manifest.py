"""How the experiment was made, with the digest of every file."""

from pathlib import Path

from convprobe.job import runtime
from convprobe.report import manifest
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        path = snakemake.output.manifest
        files.write_json(path, manifest.collect(Path(path).parent, snakemake.params.settings))

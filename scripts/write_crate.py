"""How the experiment was made, as an RO-Crate."""

from pathlib import Path

from convprobe.job import runtime
from convprobe.report import crate
from convprobe.store import files

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        inputs = snakemake.input
        folder = Path(inputs.manifest).parent
        others = [Path(path).relative_to(folder).as_posix() for path in inputs]
        metadata = crate.collect(folder, files.read_json(inputs.manifest), others)
        files.write_json(snakemake.output.crate, metadata)

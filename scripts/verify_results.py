"""Are all results there, whole, and in agreement with one another?"""

from pathlib import Path

from convprobe.errors import InputError
from convprobe.job import runtime
from convprobe.report import verification
from convprobe.store.checks import Results
from convprobe.training import checks as training

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        settings = snakemake.params.settings
        folder = settings["folder"]
        mistakes, count = verification.verify(**settings)
        if mistakes:
            raise InputError("\n".join([f"{len(mistakes)} mistakes in the results", *mistakes]))
        print(f"{folder}: all {count} files are there, whole and in agreement")
        not_kept = training.not_kept(Results(Path(folder)), settings["config"])
        if not_kept:
            print(f"not kept, as training.keep_optimizer asked: {len(not_kept)} optimizer states")

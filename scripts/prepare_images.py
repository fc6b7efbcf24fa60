"""The data set, brought into two HDF5 files."""

from convprobe.dataset import image_file, sources
from convprobe.job import runtime
from convprobe.store import tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0]):
        # A user's own images are no input, see dataset_source.
        path = snakemake.input.get("source") or snakemake.config["dataset"]["path"]
        splits = sources.load(snakemake.params.settings, path)
        counts = sources.class_counts(splits)
        print(counts.to_string(index=False), flush=True)
        for line in sources.lacking_classes(splits):
            print(f"warning: {line}", flush=True)
        test = {"test": splits.pop("test")}
        image_file.write(snakemake.output.training, splits)
        image_file.write(snakemake.output.test, test)
        tables.write(snakemake.output.classes, counts)

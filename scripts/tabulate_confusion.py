"""Confusion before and after the ablation, and who changed."""

from convprobe import ablation, datasets, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        predictions = tables.read(snakemake.input.predictions)
        classes = datasets.classes(snakemake.input.images)
        for state in ("before", "after"):
            counts = ablation.confusion(predictions, state, classes)
            tables.write(snakemake.output[state], counts, index=True)
        tables.write(snakemake.output.class_pairs, ablation.class_pairs(predictions))

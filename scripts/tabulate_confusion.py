"""Confusion before and after the ablation, who changed, and the first images."""

from convprobe import ablation, datasets, files, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        predictions = files.read_csv(snakemake.input.predictions)
        classes = datasets.classes(snakemake.input.images)
        for state in ("before", "after"):
            counts = ablation.confusion(predictions, state, classes)
            files.write_csv(snakemake.output[state], counts, index=True)
        files.write_csv(snakemake.output.class_pairs, ablation.class_pairs(predictions))
        files.write_csv(snakemake.output.first_images, predictions.head(snakemake.params.settings["table_images"]))

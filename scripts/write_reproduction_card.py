"""Which of the study's claims hold."""

from convprobe import datasets, files, localisation, reproduction, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        settings = snakemake.params.settings
        probes = {name: tables.read(snakemake.input[name]) for name in ("summary", "accuracy", "predictions")}
        probes["places"] = localisation.confidence_by_place(snakemake.input.maps, snakemake.input.images)
        curves = {role: tables.read(snakemake.input[role]) for role in settings["roles"]}
        # There is none where the probed weights were trained elsewhere, or without normalisation.
        selection = files.read_json(snakemake.input.selection) if snakemake.input.selection else None
        classes = datasets.classes(snakemake.input.images)
        card = reproduction.card(curves, selection, probes, settings["network"], classes)
        tables.write(snakemake.output.card, card)

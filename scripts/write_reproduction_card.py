"""Which of the study's claims hold."""

from convprobe import datasets, files, reproduction, runtime, tables

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        settings = snakemake.params.settings
        names = ("accuracy", "predictions", "summary", "localisation")
        found = {name: tables.read(snakemake.input[name]) for name in names}
        curves = {role: tables.read(snakemake.input[role]) for role in settings["roles"]}
        # There is none where the probed weights were trained elsewhere, or without normalisation.
        selection = files.read_json(snakemake.input.selection) if snakemake.input.selection else None
        normalisation = files.read_json(snakemake.input.normalisation)
        classes = datasets.classes(snakemake.input.images)
        card = reproduction.card(curves, selection, found, normalisation, settings, classes)
        tables.write(snakemake.output.card, card)

"""Which of the study's claims hold."""

from convprobe import files, reproduction, runtime

if __name__ == "__main__":
    with runtime.job(snakemake.log[0], snakemake.threads):
        settings = snakemake.params.settings
        tables = {name: files.read_csv(path) for name, path in snakemake.input.items() if path.endswith(".csv")}
        curves = {role: tables[role] for role in ("normalised", "raw") if role in tables}
        selection = files.read_json(snakemake.input.selection) if "normalised" in curves else None
        card = reproduction.card(curves, selection, tables, settings["network"], settings["table_images"])
        files.write_csv(snakemake.output.card, card)

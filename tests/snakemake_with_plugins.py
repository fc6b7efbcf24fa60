"""Snakemake's command line, once it has looked for its plugins: a fifth of the time of a plan."""

from snakemake import cli

cli.get_argument_parser()

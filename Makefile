# make demo    the whole study in minutes, without a download
# make verify  whether the demo's results are all there, whole and in agreement
# make test    linters and all tests
# make test-cluster   the demo through a SLURM of one node, installed where that is possible
# make faults  200 interrupted runs in place of one per rule, for most of an hour
# make bench   what is measured against other libraries; REAL="--weights … --images …" for real ones
# make report  Snakemake's own report of the demo
# Each sets itself up in .venv first. PYTHON chooses another interpreter, from 3.11.

PYTHON ?= python3
CORES ?= $(shell nproc)
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --resources gpu=1
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo verify test test-cluster faults bench report clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(SNAKEMAKE) --configfile presets/demo.yaml

report: demo
	$(SNAKEMAKE) --configfile presets/demo.yaml --report results/demo/report.html

verify: .venv/installed
	$(SNAKEMAKE) --configfile presets/demo.yaml -- verify_results
	@cat logs/demo/verification.log

test: .venv/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/python -m pytest

# SLURM comes from Debian; where it can't be installed, the tests skip with the reason.
test-cluster: .venv/installed-for-cluster
	command -v slurmctld >/dev/null || { apt-get update -qq && apt-get install -qq -y --no-install-recommends slurm-wlm munge; } || true
	CONVPROBE_CLUSTER_STUDY=$${CONVPROBE_CLUSTER_STUDY-presets/demo.yaml} $(BIN)/python -m pytest tests/cluster

faults: .venv/installed-for-tests
	CONVPROBE_FAULTS=200 $(BIN)/python -m pytest tests/faults

bench: .venv/installed-for-benchmarks
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/occlusion.py $(REAL)
	$(BIN)/python benchmarks/ablation.py $(REAL)

clean:
	rm -rf .venv .snakemake logs results/demo

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt constraints.txt | .venv/bin/python
	$(INSTALL) --requirement requirements.txt
	touch $@

.venv/installed-for-tests: requirements-dev.txt .venv/installed
	$(INSTALL) --requirement requirements-dev.txt
	touch $@

.venv/installed-for-cluster: requirements-cluster.txt .venv/installed-for-tests
	$(INSTALL) --requirement requirements-cluster.txt
	touch $@

.venv/installed-for-benchmarks: requirements-bench.txt .venv/installed-for-tests
	$(INSTALL) --requirement requirements-bench.txt
	touch $@

# make demo    the whole study in minutes, without a download
# make verify  whether the demo's results are all there, whole and in agreement
# make test    linters and all tests
# make test-page   the page's scripts alone, where Node is installed; it is needed for nothing else
# make test-cluster   the demo through a SLURM of one node, installed where that is possible
# make test-classifiers   the probes of torchvision's classifiers, which takes long
# make faults  200 interrupted runs in place of one per rule, for most of an hour
# make bench   compares with other libraries; REAL="--weights … --images …" takes real ones
# make lint    linters alone
# make generate  what is made from the code: the config's schema, results/README.md, parts of
#              docs/architecture.md and docs/staleness.md
# make lock    requirements*.txt from pyproject.toml, by uv; what is pinned stays, LOCK=--upgrade
#              takes the newest
# make report  Snakemake's own report of the demo
# make clean   removes the demo's results and logs; other experiments, .venv and .snakemake stay
# Each sets itself up in .venv first, by uv if it is there (UV= for pip nevertheless). PYTHON chooses
# another interpreter, from 3.11.

PYTHON ?= python3
CORES ?= all
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) --resources gpu=1
# Compiled as pip does: where Python may write no bytecode, each job would compile for seconds.
UV ?= $(shell command -v uv)
PIP := $(BIN)/python -m pip install --disable-pip-version-check
INSTALL := $(if $(UV),$(UV) pip install --python $(BIN)/python --compile-bytecode,$(PIP)) \
	--quiet --require-hashes --requirement
NEW_ENOUGH := -c 'import sys; found = sys.version_info; found >= (3, 11) or sys.exit( \
	"%s is Python %d.%d, expected 3.11 or newer: make PYTHON=..." \
	% (sys.executable, found[0], found[1]))'

# Where bytecode may not be written, each of many processes would compile the library anew.
unexport PYTHONDONTWRITEBYTECODE

PAGE_SCRIPTS := report/explorer/*.mjs tests/unit/report/explorer/*.mjs tests/browser/*.mjs

.PHONY: demo verify test lint test-page lint-page generate lock test-cluster \
	test-classifiers faults bench report clean
.DELETE_ON_ERROR:

demo: .venv/installed
	$(SNAKEMAKE) --configfile presets/demo.yaml

report: demo
	$(SNAKEMAKE) --configfile presets/demo.yaml --report results/demo/report.html

verify: .venv/installed
	$(SNAKEMAKE) --configfile presets/demo.yaml -- verify_results
	@cat logs/demo/verification.log

test: lint test-page
	$(BIN)/python -m pytest --numprocesses logical

lint: .venv/installed-for-tests lint-page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules

generate: export PYTHONPATH = scripts:tests:tests/staleness
generate: .venv/installed-for-tests
	$(BIN)/python -m convprobe.plan.schema > schemas/config.schema.json.new
	mv schemas/config.schema.json.new schemas/config.schema.json
	$(BIN)/python tests/architecture.py
	$(BIN)/python tests/contract.py

# For every platform and Python from 3.11; the smaller ones pin the same as the one that has all.
lock: COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(LOCK) pyproject.toml --output-file
lock:
	$(COMPILE) requirements-dev.txt --all-extras --group dev
	$(COMPILE) requirements.txt --extra workflow --constraint requirements-dev.txt
	$(COMPILE) requirements-cluster.txt --extra cluster --constraint requirements-dev.txt

test-page:
	@if command -v node >/dev/null; then \
		node --test --test-reporter=spec tests/unit/report/explorer/*.test.mjs; \
	else \
		echo "The page's scripts are not tested: there is no node."; \
	fi

lint-page:
	@if $(MAKE) --silent node_modules/installed >/dev/null 2>&1; then \
		node_modules/.bin/eslint --max-warnings 0 $(PAGE_SCRIPTS) && \
		node_modules/.bin/prettier --check $(PAGE_SCRIPTS) report/explorer/page.css; \
	else \
		echo "The page's scripts are not linted: npm could not install its linters."; \
	fi

node_modules/installed: package.json package-lock.json
	npm ci
	touch $@

# SLURM comes from Debian; where it can't be installed, the tests skip with the reason.
test-cluster: .venv/installed-for-tests
	command -v slurmctld >/dev/null || { apt-get update -qq && \
		apt-get install -qq -y --no-install-recommends slurm-wlm munge; } || true
	CONVPROBE_CLUSTER_STUDY=$${CONVPROBE_CLUSTER_STUDY-presets/demo.yaml} \
		$(BIN)/python -m pytest tests/cluster

test-classifiers: .venv/installed-for-tests
	$(BIN)/python -m pytest tests/classifiers

faults: .venv/installed-for-tests
	CONVPROBE_FAULTS=200 $(BIN)/python -m pytest tests/faults

bench: .venv/installed-for-tests
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/occlusion.py $(REAL)
	$(BIN)/python benchmarks/ablation.py $(REAL)

clean:
	rm -rf results/demo logs/demo

# A .venv of an older Python, or one that was left half made, is made anew.
.venv/installed: requirements.txt
	@{ $(BIN)/python $(NEW_ENOUGH) && $(BIN)/python -c 'import pip'; } 2>/dev/null || \
		{ $(PYTHON) $(NEW_ENOUGH) && $(PYTHON) -m venv --clear .venv; }
	$(INSTALL) requirements.txt
	touch $@

.venv/installed-for-tests: requirements-dev.txt .venv/installed
	$(INSTALL) requirements-dev.txt
	touch $@

# Everything a newcomer or a machine needs; `make help` lists it. Only Python >= 3.11 and make have to be there.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup spark demo test check docs bench night lock clean

SUITABLE := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 && $$name $(SUITABLE) && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PACKAGES := features models retention pipelines
SIZE ?= small

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  make bench-NAME   run benchmarks/NAME.py; SIZE=small (default) or SIZE=full"

setup: $(VENV)/.ready  ## create .venv with exactly the locked packages (demo and test do it themselves)

$(VENV)/.locked: requirements.lock
	@test -n "$(PYTHON)" || { echo "Treue needs Python >= 3.11 and found none; install it or call make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) $(SUITABLE) || { echo "Treue needs Python >= 3.11; $(PYTHON) is older"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON): about two minutes and 1.4 GB, once."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --no-deps -r requirements.lock
	@touch $@

$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

spark: setup $(VENV)/.spark  ## add Spark to .venv (470 MB; it needs Java 17), for pipelines.spark and its tests

$(VENV)/.spark: requirements-spark.lock $(VENV)/.locked
	$(PIP) install --require-hashes --no-deps -r requirements-spark.lock
	@touch $@

demo: setup  ## run everything on the demo company and say which files to open
	$(BIN)/treue demo

test: setup  ## run all tests but those of the night
	$(BIN)/python -m pytest

check: setup  ## format, lint, types, import contracts, docs up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(PACKAGES)
	$(BIN)/lint-imports
	$(BIN)/python -m pipelines.reference --check

docs: setup  ## write the generated pages of docs/ anew
	$(BIN)/python -m pipelines.reference

bench: setup  ## run every benchmark; SIZE=small (default) or SIZE=full
	@found=0; failed=0; for file in benchmarks/[a-z]*.py; do \
		test -f "$$file" || continue; found=1; echo "== $$file"; \
		SIZE=$(SIZE) $(BIN)/python "$$file" || failed=1; done; \
	test $$found = 1 || echo "No benchmark yet: benchmarks/ holds no script."; exit $$failed

bench-%: setup
	@test -f benchmarks/$(subst -,_,$*).py || { echo "There is no benchmarks/$(subst -,_,$*).py; see ls benchmarks"; exit 2; }
	SIZE=$(SIZE) $(BIN)/python benchmarks/$(subst -,_,$*).py

night: setup  ## run the tests of the night: minutes to hours
	@code=0; $(BIN)/python -m pytest -m night || code=$$?; \
	if [ $$code -eq 5 ]; then echo "No test is marked night yet: nothing ran."; exit 0; fi; exit $$code

lock:  ## resolve the dependencies anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: python -m pip install uv"; exit 1; }
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra dev \
		pyproject.toml -o requirements.lock
	$(PYTHON) -c 'import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		print(*project["optional-dependencies"]["spark"], sep="\n")' \
		| uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header - -o requirements-spark.lock
	@! grep -n '://' requirements.lock requirements-spark.lock || { echo "a lock must hold no address"; exit 1; }

clean:  ## remove caches and build results; .venv and out/ stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(PACKAGES) configs tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

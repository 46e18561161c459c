# Every target sets itself up in .venv first; only Python 3.11 or newer and make must be there.
# Another Python: make PYTHON=python3.13 test. Another instance: make solve INSTANCE=instances/tutorial.

PYTHON ?= python3
INSTANCE ?= instances/magnet-rare-earths
OPTIONS ?=
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup solve test slow lint docs bench clean

help:
	@echo "make solve   solve $(INSTANCE) and print the plan card"
	@echo "make test    the tests (a few minutes); make slow: the long ones"
	@echo "make lint    style, formatting and types"
	@echo "make docs    write the pages of docs/ that are generated from the code"
	@echo "make bench   all benchmarks, one table of ratios at the end (two hours; make bench OPTIONS=--quick: minutes)"
	@echo "make clean   remove everything that was made, runs/ excepted"

# Done again only when what is to be installed has changed.
$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Orepact needs Python 3.11 or newer. Name one: make PYTHON=python3.13"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)

solve: $(READY)
	$(BIN)/python solve.py $(INSTANCE) $(OPTIONS)

test: $(READY)
	$(BIN)/python -m pytest -n auto $(OPTIONS)

# pytest ends with 5 where no test is marked slow.
slow: $(READY)
	$(BIN)/python -m pytest -m slow -n auto $(OPTIONS) || [ $$? -eq 5 ]

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python docs/build.py

bench: $(READY)
	$(BIN)/python benchmarks/bench.py $(OPTIONS)

clean:
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

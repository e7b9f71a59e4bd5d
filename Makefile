# Everything rests on `make install`, which fills .venv. Needs Python 3.11, make and a C compiler.
PYTHON ?= python3.11
BIN := .venv/bin
DEMO ?= demo-study

.PHONY: install demo test test-unit lint docs new-analysis notebook bench soak clean

install: .venv/installed

# pyradiomics 3.0.1 builds only where numpy is installed already: docs/decisions/0004-installing-pyradiomics.md
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt setuptools wheel numpy
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation pyradiomics==3.0.1
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[imaging,signature,postgresql,browse,test,dev]'
	touch $@

demo: install
	rm -rf $(DEMO)
	$(BIN)/tshdb demo $(DEMO)

test: install
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# what needs no study: docs/testing.md
test-unit: install
	$(BIN)/python -m pytest tests/unit -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The files of a new analysis, which one then works on: CONTRIBUTING.md. make new-analysis NAME=my_ratio SUBJECT=expression
new-analysis: install
	$(BIN)/python -m tools.new_analysis $(NAME) $(SUBJECT)

docs: install
	$(BIN)/python docs/generate.py

# docs/python.md with what its blocks give
notebook: install
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[notebook]'
	$(BIN)/python docs/notebook.py

# The workflow systems that we are compared with live in an environment of their own. make bench ONLY="startup planning"
.venv-bench/installed:
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check 'snakemake>=9' 'dvc>=3.60'
	touch $@

# Trials that are too long for the tests, each an hour at most. make soak PART=lost SEED=2; without PART all, in turn
soak: install
	$(BIN)/python -m soak $(PART) --seed $(or $(SEED),1)

bench: install .venv-bench/installed
	$(BIN)/python -m benchmarks $(ONLY)

clean:
	rm -rf .venv .venv-bench build dist *.egg-info $(DEMO) benchmarks/results .pytest_cache .ruff_cache .import_linter_cache .mypy_cache .hypothesis

# `make install` fills .venv, of wheels alone, by the newest Python found. An environment that is there keeps its Python:
# for another, make clean install PYTHON=python3.12
FOUND := $(shell sh tools/pythons.sh)
python_of = $(firstword $(patsubst $(1)=%,%,$(filter $(1)=%,$(FOUND))))
PYTHON ?= $(lastword $(subst =, ,$(firstword $(FOUND))))
version_of = $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VERSION := $(or $(call version_of,.venv/bin/python),$(call version_of,$(PYTHON)))
VERSIONS := $(sort $(VERSION) $(foreach found,$(FOUND),$(firstword $(subst =, ,$(found)))))
BIN := .venv/bin
DEMO ?= demo-study
unexport PYTHONDONTWRITEBYTECODE  # commands that are started again and again need not compile their modules anew

# One environment for each Python: .venv for that of `make install`, .venv-3.11 and so on for the others of this machine.
# All tests run on 3.11 where it is there, since PyRadiomics, which judges our features, builds on no later one.
environment_of = $(if $(filter $(VERSION),$(1)),.venv,.venv-$(1))
WHOLE := $(or $(filter 3.11,$(VERSIONS)),$(VERSION))
OTHERS := $(filter-out $(WHOLE),$(VERSIONS))
PIP_INSTALL := bin/pip install --quiet --disable-pip-version-check

.PHONY: install demo test test-whole test-pythons test-unit lint docs site new-analysis notebook bench soak constraints clean

install: .venv/installed

define environment
$(call environment_of,$(1))/installed: pyproject.toml constraints-$(1).txt
	[ -x $$(@D)/bin/python ] || $$(or $$(if $$(filter .venv,$$(@D)),$$(PYTHON)),$$(call python_of,$(1))) -m venv $$(@D)
	$$(@D)/$$(PIP_INSTALL) -c constraints-$(1).txt --only-binary=:all: setuptools
	$$(@D)/$$(PIP_INSTALL) -c constraints-$(1).txt --only-binary=:all: --no-build-isolation -e '.[all,test,dev]'
	touch $$@
endef
$(foreach version,$(VERSIONS),$(eval $(call environment,$(version))))

# PyRadiomics 3.0.1 has no wheel, and builds only where numpy is installed: docs/decisions/0004-installing-pyradiomics.md
%/judged: %/installed
	@if command -v cc >/dev/null; then \
		$(@D)/$(PIP_INSTALL) -c constraints-3.11.txt --no-build-isolation wheel pyradiomics==3.0.1; \
	else echo "PyRadiomics is not built, as there is no C compiler: tests that need it are skipped"; fi
	touch $@

demo: install
	rm -rf $(DEMO)
	$(BIN)/tshdb demo $(DEMO)

# everything on one Python, what needs no study on the others: docs/testing.md
test: test-whole test-pythons

# what tests write lies in memory where there is room for it (8 GB): studies are then made without waiting for a disk
ROOM := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 8000000 {print "/dev/shm"}')
TESTS_IN := $(or $(TMPDIR),$(ROOM),/tmp)

WHOLE_IN := $(call environment_of,$(WHOLE))
test-whole: $(WHOLE_IN)/$(if $(filter 3.11,$(WHOLE)),judged,installed)
	TMPDIR=$(TESTS_IN) $(WHOLE_IN)/bin/python -m pytest -n 2 --dist loadgroup

test-pythons: $(foreach version,$(OTHERS),test-unit-$(version))
$(foreach version,$(VERSIONS),$(eval test-unit-$(version): $(call environment_of,$(version))/installed))
test-unit-%:
	TMPDIR=$(TESTS_IN) $(call environment_of,$*)/bin/python -m pytest tests/unit -n 2

# what needs no study: docs/testing.md
test-unit: test-unit-$(VERSION)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# The versions that a Python installs today, wheels alone: constraints-3.11.txt and so on. With KEEP=1 those that are there stay
constraints: $(foreach version,$(VERSIONS),constraints-of-$(version))
constraints-of-%:
	$(call python_of,$*) tools/constraints.py $(if $(KEEP),constraints-$*.txt) > constraints-$*.new
	mv constraints-$*.new constraints-$*.txt

# The files of a new analysis, which one then works on: CONTRIBUTING.md. make new-analysis NAME=my_ratio SUBJECT=expression
new-analysis: install
	$(BIN)/python -m tools.new_analysis $(NAME) $(SUBJECT)

docs: install
	$(BIN)/python docs/generate.py

# The manual as pages of a browser, in SITE. Sphinx lives in an environment of its own
SITE ?= build/site
.venv-site/installed: pyproject.toml constraints-$(VERSION).txt
	[ -x .venv-site/bin/python ] || $(or $(call python_of,$(VERSION)),$(PYTHON)) -m venv .venv-site
	.venv-site/$(PIP_INSTALL) -c constraints-$(VERSION).txt --only-binary=:all: setuptools
	.venv-site/$(PIP_INSTALL) -c constraints-$(VERSION).txt --only-binary=:all: --no-build-isolation -e '.[docs]'
	touch $@

site: .venv-site/installed
	.venv-site/bin/python docs/site/build.py $(SITE)

# docs/python.md with what its blocks give
notebook: install
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints-$(VERSION).txt --no-build-isolation -e '.[notebook]'
	$(BIN)/python docs/notebook.py

# The workflow systems that we are compared with live in an environment of their own. make bench ONLY="startup planning"
.venv-bench/installed:
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check 'snakemake>=9' 'dvc>=3.60'
	touch $@

# Trials that are too long for the tests: all of them in an hour, or one to its end. make soak PART=lost SEED=2 MINUTES=30
soak: install
	$(BIN)/python -m soak $(PART) --seed $(or $(SEED),1) $(if $(MINUTES),--minutes $(MINUTES))

bench: install .venv-bench/installed
	$(BIN)/python -m benchmarks $(ONLY)

clean:
	rm -rf .venv .venv-* build dist *.egg-info $(DEMO) benchmarks/results .pytest_cache .ruff_cache .import_linter_cache .mypy_cache .hypothesis

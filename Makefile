# make demo: a new environment, both models trained, an unseen article tagged
# make test: a new environment, the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test slow lint wheel bench clean
.DELETE_ON_ERROR:

$(VENV)/.train: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable ".[train]"
	touch $@

$(VENV)/.all: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable ".[all]"
	touch $@ $(VENV)/.train

demo: $(VENV)/.train
	$(BIN)/stance train
	$(BIN)/stance predict tests/data/unseen.txt
	$(BIN)/stance predict tests/data/unseen.txt --rows articles
	@echo "compare the two runs: $(BIN)/stance ui"

test: $(VENV)/.all
	$(BIN)/python -m pytest

slow: $(VENV)/.all
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(VENV)/.all
	rm -rf dist
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -m zipfile --list dist/stance-*.whl | grep stance/cli.py > /dev/null
	$(BIN)/python -m zipfile --list dist/stance-*.whl | grep stance/report/app/page.html > /dev/null

bench: $(VENV)/.all
	$(BIN)/python benchmarks/interval_coverage.py

clean:
	rm -rf $(VENV) dist

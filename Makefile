# The commands of the README. A fresh machine needs Python 3.10 or newer, git and make; Node comes from PyPI when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Many tests wait for a process or a page: one more than there are cores keeps these busy.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: demo test check web docs clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

## web: build the browser app (web/dist) when its sources are newer
web: | $(BIN)/python
	$(BIN)/python web/hatch_build.py

## demo: set up, start the server, train on real digits, print the page's address. EXIT=1 ends after the run
demo: $(VENV)/.demo web
	$(BIN)/trialbook demo $(if $(EXIT),--exit)

tests/support/node_modules: tests/support/package.json | $(BIN)/python
	$(BIN)/python web/hatch_build.py npm install --no-audit --no-fund --prefix ../tests/support
	touch $@

## test: set up and run every tier that can run here. What failed runs once more, alone: see contributing/tests.md
test: $(VENV)/.dev check tests/support/node_modules
	$(BIN)/python web/hatch_build.py npm test
	$(BIN)/python -m tests.frameworks.environment
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST) || { \
	  [ $$? -eq 1 ] && echo "Failed beside others; once more, alone. Mend what passes only now:" && \
	  $(BIN)/python -m pytest --last-failed --last-failed-no-failures none --maxfail 10 -v $(PYTEST); }

## check: style, types, layers; the page's too
check: $(VENV)/.dev web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python web/hatch_build.py npm run lint
	$(BIN)/python web/hatch_build.py npm run typecheck

clean:
	rm -rf $(VENV) .venv-interop .venv-frameworks web/dist web/node_modules build dist

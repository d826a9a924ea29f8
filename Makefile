# Two commands set up everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install demo test lint types clean

install: $(STAMP)

# torch comes first and alone: a later package that asks for a plain `torch` must find it installed.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --upgrade pip -c constraints.txt
	$(BIN)/python -m pip install -qq torch -c constraints.txt
	$(BIN)/python -m pip install -qq -e '.[test]' -c constraints.txt
	touch $@

demo: install
	$(BIN)/gfvc demo --out demo --force

test: install
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

clean:
	rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache

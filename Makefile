# `make help` lists the targets. PYTHON names an interpreter of 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= tests
WORKERS ?= 2

# The tests start hundreds of processes; where this is set, each compiles the whole product anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two sets of packages, each pinned by hash: what the product needs, and that plus the tools of development.
# The stamp names the lock, so a changed lock is installed and an unchanged one costs nothing.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) (a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "adding the tools of development to $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.PHONY: run
run: $(VENV)/.runtime ## a demo city on this machine: portal, RADIUS, islands, residents
	@$(BIN)/pesisir demo

.PHONY: setup
setup: $(VENV)/.dev ## the virtual environment with everything development needs

.PHONY: check
check: $(VENV)/.dev ## formatting, lint, types, architecture
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: test
test: $(VENV)/.dev ## every test that needs no root (SQLite and PostgreSQL), under 5 minutes
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not lab and not long" $(TESTS)
	@sh tests/lab/groups.sh

.PHONY: test-all
test-all: $(VENV)/.dev ## everything, with real routers, browser and peers from Debian (root; installs by apt)
	@sh tests/lab/install.sh
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not lab" $(TESTS)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "lab and not alone" $(TESTS)
	@$(BIN)/python -m pytest -m alone $(TESTS)

# QUICK=1: a minute or two on a small city, to see that it works. BENCH_ARGS: see `python -m bench --help`.
BENCH_FULL := --grow-users 1000 10000 100000 1000000 --grow-routers 10 721 10000
BENCH_QUICK := --users 2000 --devices 500 --rounds 1 --seconds 2 --ingest 5000 --grow-users 1000 --grow-routers 10 --out var/bench
.PHONY: bench
bench: $(VENV)/.runtime ## load and time, beside FreeRADIUS from Debian (root; installs by apt; an hour, QUICK=1 two minutes)
	@sh tests/lab/install.sh freeradius freeradius-postgresql postgresql
	@$(BIN)/python -m bench $(if $(QUICK),$(BENCH_QUICK),$(BENCH_FULL)) $(BENCH_ARGS)

# FUZZ_ARGS: see `python -m tests.fuzz --help`; a finding is kept in var/fuzz.
SECONDS ?=
.PHONY: fuzz
fuzz: $(VENV)/.dev ## datagrams of all kinds through the whole server for an hour (SECONDS=N for less)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),3600) $(FUZZ_ARGS)

.PHONY: soak
soak: $(VENV)/.runtime ## the server under 200 requests a second for an hour: flat memory, exact sums (SECONDS=N for less)
	@$(BIN)/python -m bench.soak --seconds $(or $(SECONDS),3600) $(SOAK_ARGS)

.PHONY: lock
lock: ## resolve the lock files anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml requirements-build.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra dev pyproject.toml requirements-build.in -o requirements-dev.lock

.PHONY: clean
clean: ## remove what this Makefile made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist var

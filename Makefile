# Every target does its own set-up. Needed on the machine: Python 3 (with pip or venv), make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
TOOLS := $(CURDIR)/.tools
UV ?= $(TOOLS)/uv-$(UV_VERSION)/bin/uv
RUN := $(UV) run --frozen --no-sync
VENV := .venv/.synced

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A private, pinned uv: from a virtual environment where Python can make one, else by pip alone.
$(TOOLS)/uv-$(UV_VERSION)/bin/uv:
	@echo "setting up uv $(UV_VERSION)"
	@{ python3 -m venv $(TOOLS)/uv-$(UV_VERSION) && $(TOOLS)/uv-$(UV_VERSION)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); } \
	  || python3 -m pip install --quiet --disable-pip-version-check --upgrade --target $(TOOLS)/uv-$(UV_VERSION) uv==$(UV_VERSION)
	@test -x $@

$(VENV): $(UV) pyproject.toml uv.lock .python-version
	@$(UV) sync --frozen --quiet
	@touch $@

.PHONY: setup
setup: $(VENV) ## Create the virtual environment from uv.lock

.PHONY: run
run: $(VENV) ## Run the service locally: embedded AWS, origin double, HTTP front
	@exec $(RUN) python -m dev.run

.PHONY: format
format: $(VENV) ## Format and fix what can be fixed
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

.PHONY: check
check: $(VENV) ## Static gates: format, lint, types, import contracts, template
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	PYTHONPATH=src $(RUN) lint-imports --no-cache

.PHONY: test
test: $(VENV) ## Unit, contract, integration and template tests
	$(RUN) pytest tests/unit tests/contract tests/integration tests/template

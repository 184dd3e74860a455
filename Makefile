# Every target does its own set-up. Needed on the machine: Python 3 (with pip or venv), make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# renovate: datasource=pypi depName=uv
UV_VERSION := 0.13.9
# Relative, since the directory may have a blank in its name, which no target can.
TOOLS := .tools
UV ?= $(TOOLS)/uv-$(UV_VERSION)/bin/uv
RUN := $(UV) run --frozen --no-sync
VENV := .venv/.synced

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A private, pinned uv: from a virtual environment where Python can make one, else by pip alone.
$(TOOLS)/uv-$(UV_VERSION)/bin/uv:
	@echo "setting up uv $(UV_VERSION)"
	@{ python3 -m venv $(TOOLS)/uv-$(UV_VERSION) && $(TOOLS)/uv-$(UV_VERSION)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); } \
	  || python3 -m pip install --quiet --disable-pip-version-check --upgrade --target $(TOOLS)/uv-$(UV_VERSION) uv==$(UV_VERSION)
	@test -x $@

$(VENV): $(UV) pyproject.toml client/pyproject.toml uv.lock .python-version
	@test -d .venv || echo "setting up .venv: about 100 packages, 500 MB, once"
	@$(UV) sync --frozen --quiet
	@touch $@

.PHONY: setup
setup: $(VENV) ## Create the virtual environment from uv.lock

.PHONY: run
run: $(VENV) ## Run the service locally: embedded AWS, origin double, HTTP front
	@exec $(RUN) python -m dev.local

.PHONY: format
format: $(VENV) ## Format and fix what can be fixed
	$(RUN) ruff format .
	$(RUN) ruff check --fix .
	$(RUN) python -m json.tool --indent 2 --no-ensure-ascii docs/openapi.json docs/openapi.json

.PHONY: check
check: $(VENV) ## Static gates: format, lint, types, import contracts, template
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	PYTHONPATH=src $(RUN) lint-imports --no-cache
	@$(MAKE) --no-print-directory lint-template

# In an environment of its own; what its hooks call is in uv.lock.
# renovate: datasource=pypi depName=pre-commit
PRE_COMMIT_VERSION := 4.7.0
PRE_COMMIT := $(TOOLS)/pre-commit-$(PRE_COMMIT_VERSION)/bin/pre-commit

$(PRE_COMMIT): | $(UV)
	@echo "setting up pre-commit $(PRE_COMMIT_VERSION)"
	@$(UV) venv --quiet --clear --python 3.13 $(TOOLS)/pre-commit-$(PRE_COMMIT_VERSION)
	@$(UV) pip install --quiet --python $(TOOLS)/pre-commit-$(PRE_COMMIT_VERSION)/bin/python pre-commit==$(PRE_COMMIT_VERSION)

.PHONY: hooks
hooks: $(VENV) $(PRE_COMMIT) ## Run the gates of make check before each commit
	@$(PRE_COMMIT) install

.PHONY: configuration
configuration: $(VENV) ## Write docs/configuration.md anew from template.yaml
	$(RUN) python -m dev.docs.configuration docs/configuration.md

# Its own environment, as it is no part of what is checked or run. What runs in a reader's browser is
# npm's; without npm, diagrams and the search of pages on a disk need a network when somebody reads.
ZENSICAL_VERSION := 0.0.73
ZENSICAL := $(TOOLS)/zensical-$(ZENSICAL_VERSION)/bin/zensical
MERMAID_VERSION := 12.0.0
IFRAME_WORKER_VERSION := 1.0.4
SITE_LIBRARIES := $(TOOLS)/site-$(MERMAID_VERSION)-$(IFRAME_WORKER_VERSION)/node_modules
SITE_LIBRARIES := $(if $(shell command -v npm),$(SITE_LIBRARIES))

$(ZENSICAL): | $(UV)
	@echo "setting up Zensical $(ZENSICAL_VERSION)"
	@$(UV) venv --quiet --clear --python 3.13 $(TOOLS)/zensical-$(ZENSICAL_VERSION)
	@$(UV) pip install --quiet --python $(TOOLS)/zensical-$(ZENSICAL_VERSION)/bin/python zensical==$(ZENSICAL_VERSION)

$(TOOLS)/site-%/node_modules:
	@mkdir -p $(@D)
	@npm install --prefix $(@D) --silent --no-audit --no-fund --ignore-scripts --no-update-notifier \
	  @mermaid-js/tiny@$(MERMAID_VERSION) iframe-worker@$(IFRAME_WORKER_VERSION)

.PHONY: docs
docs: $(VENV) $(ZENSICAL) | $(SITE_LIBRARIES) ## Build the site of all documents into .build/docs; every link is checked
	@mkdir -p .build
	@$(RUN) python -m dev.docs.site .build $(SITE_LIBRARIES)
	@$(ZENSICAL) build --strict --clean --config-file .build/zensical.toml
	@echo "open .build/docs/index.html"

.PHONY: options
options: $(VENV) ## Write the command line's filters anew from docs/openapi.json
	$(RUN) python -m dev.docs.options client/managed_users/tool/options.json

.PHONY: test
test: coverage ## Doctests, unit, contract, integration and template tests
	PYTHONPATH=src $(RUN) pytest --doctest-modules src/lib client/managed_users
	$(RUN) pytest -n 2 --dist loadfile -m hypothesis tests/unit
	$(RUN) pytest -n 4 --dist loadfile tests/contract tests/integration tests/template tests/faults tests/simulation

# Without properties: what they happen to draw is no proof of a branch.
.PHONY: coverage
coverage: $(VENV) ## Unit tests; they alone reach every line and branch of what decides
	@mkdir -p .build/coverage && rm -f .build/coverage/data*
	$(RUN) coverage run -m pytest -n 2 --dist loadfile -m "not hypothesis" tests/unit
	@$(RUN) coverage combine --quiet
	$(RUN) coverage report

.PHONY: reliability
reliability: $(VENV) ## Write docs/reliability.md anew from what each fault comes to
	@PYTHONPATH=src POWERTOOLS_SERVICE_NAME=local POWERTOOLS_METRICS_NAMESPACE=Local POWERTOOLS_LOG_LEVEL=CRITICAL $(RUN) python -m tests.faults.page

.PHONY: soak
soak: $(VENV) ## Ten minutes of readers, writers, faults and kills; every answer is checked
	@PYTHONPATH=src $(RUN) python -m tests.soak $(SOAK_OPTIONS)

.PHONY: simulate
simulate: $(VENV) ## An hour of the whole service in virtual time, seed by seed; every answer is checked
	@PYTHONPATH=src POWERTOOLS_LOG_LEVEL=CRITICAL POWERTOOLS_METRICS_DISABLED=true $(RUN) python -m tests.simulation $(SIMULATE_OPTIONS)

# No behaviour may rest on what an environment happens to remember.
.PHONY: test-without-memory
test-without-memory: $(VENV) ## The integration tests, with nothing remembered between requests
	MEMORY_CACHE_MEGABYTES=0 $(RUN) pytest -n 4 --dist loadfile tests/integration

# Its own environment: Schemathesis pins much that the suite uses in other versions.
# renovate: datasource=pypi depName=schemathesis
SCHEMATHESIS_VERSION := 4.32.5
SCHEMATHESIS := $(TOOLS)/schemathesis-$(SCHEMATHESIS_VERSION)/bin/schemathesis

$(SCHEMATHESIS): | $(UV)
	@echo "setting up Schemathesis $(SCHEMATHESIS_VERSION)"
	@$(UV) venv --quiet --clear --python 3.13 $(TOOLS)/schemathesis-$(SCHEMATHESIS_VERSION)
	@$(UV) pip install --quiet --python $(TOOLS)/schemathesis-$(SCHEMATHESIS_VERSION)/bin/python schemathesis==$(SCHEMATHESIS_VERSION)

.PHONY: fuzz
fuzz: $(VENV) $(SCHEMATHESIS) ## Schemathesis against the running service and its OpenAPI document (ten minutes)
	@PYTHONPATH=src SCHEMATHESIS="$(CURDIR)/$(SCHEMATHESIS)" $(RUN) python -m dev.fuzz

# ---- the deployed shape ----
# SAM CLI pins many libraries exactly, so it stays out of uv.lock.
# renovate: datasource=pypi depName=aws-sam-cli
SAM_VERSION := 1.170.0
SAM := $(TOOLS)/sam-$(SAM_VERSION)/bin/sam
ARCHITECTURE ?= arm64
export SAM_CLI_TELEMETRY := 0

$(SAM): | $(UV)
	@echo "setting up SAM CLI $(SAM_VERSION)"
	@$(UV) venv --quiet --clear --python 3.13 $(TOOLS)/sam-$(SAM_VERSION)
	@$(UV) pip install --quiet --python $(TOOLS)/sam-$(SAM_VERSION)/bin/python aws-sam-cli==$(SAM_VERSION)

# SAM's own linter does not see what the translation makes of the template, so both are linted.
.PHONY: lint-template
lint-template: $(VENV) ## Lint template.yaml and the CloudFormation it becomes
	@mkdir -p .build
	$(RUN) python -m dev.template.translation .build/cloudformation.json
	$(RUN) cfn-lint template.yaml .build/cloudformation.json

# Checkov pins many libraries exactly, so it has its own environment, too.
# renovate: datasource=pypi depName=checkov
CHECKOV_VERSION := 3.3.30
CHECKOV := $(TOOLS)/checkov-$(CHECKOV_VERSION)/bin/checkov

$(CHECKOV): | $(UV)
	@echo "setting up Checkov $(CHECKOV_VERSION)"
	@$(UV) venv --quiet --clear --python 3.13 $(TOOLS)/checkov-$(CHECKOV_VERSION)
	@$(UV) pip install --quiet --python $(TOOLS)/checkov-$(CHECKOV_VERSION)/bin/python checkov==$(CHECKOV_VERSION)

.PHONY: audit
audit: lint-template lint-openapi $(CHECKOV) ## Checkov on the template, Spectral on the OpenAPI document
	@$(CHECKOV) --config-file .checkov.yaml --file .build/cloudformation.json

# renovate: datasource=npm depName=@stoplight/spectral-cli
SPECTRAL_VERSION := 6.15.0
.PHONY: lint-openapi
lint-openapi:
	@command -v npx > /dev/null || { echo "Spectral needs Node.js with npx"; exit 1; }
	@npx --yes @stoplight/spectral-cli@$(SPECTRAL_VERSION) lint docs/openapi.json --ruleset .spectral.yaml --fail-severity warn 2> >(grep -v "^npm warn" >&2)

.PHONY: build
build: $(VENV) $(SAM) ## Build the functions into .aws-sam (ARCHITECTURE=arm64|x86_64)
	@ARCHITECTURE=$(ARCHITECTURE) $(SAM) build --parameter-overrides Architecture=$(ARCHITECTURE)

# What `sam build` calls, with the directory to fill in ARTIFACTS_DIR.
.PHONY: build-ApiFunction build-RefreshFunction build-ChangesFunction build-DeliveriesFunction
build-ApiFunction build-RefreshFunction build-ChangesFunction build-DeliveriesFunction: $(VENV)
	@$(RUN) python -m dev.deploy.build_artifact "$(ARTIFACTS_DIR)" --architecture $(ARCHITECTURE) --uv $(UV)

# Emulated where nothing can be deployed. Built for this machine and beside the build for AWS, which
# stays as it was.
LOCAL_BUILD := .build/local
LOCAL_ARCHITECTURE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

.PHONY: build-local
build-local: $(VENV) $(SAM)
	@mkdir -p .build
	@ARCHITECTURE=$(LOCAL_ARCHITECTURE) $(SAM) build --build-dir $(LOCAL_BUILD) > .build/local.log 2>&1 || { cat .build/local.log; exit 1; }

.PHONY: deploy-local
deploy-local: build-local ## Deploy template.yaml to an embedded AWS on this machine, until Ctrl-C
	@SAM="$(CURDIR)/$(SAM)" BUILT=$(LOCAL_BUILD) exec $(RUN) python -m dev.deploy.deploy_local

.PHONY: local-aws
local-aws: build-local ## What `sam local` needs beside the functions, until Ctrl-C (docs/sam.md)
	@BUILT=$(LOCAL_BUILD) exec $(RUN) python -m dev.deploy.local_aws

.PHONY: e2e
e2e: build-local browser ## The deployed shape (SAM deployment, HTTP, the Lambda runtime), and the page
	SAM="$(CURDIR)/$(SAM)" BUILT=$(LOCAL_BUILD) $(RUN) pytest tests/e2e
	PYTHONPATH=src $(RUN) pytest -n 2 --dist loadfile tests/page

NODE_MODULES := client/typescript/node_modules/.package-lock.json

$(NODE_MODULES): client/typescript/package-lock.json
	@command -v npm > /dev/null || { echo "the TypeScript client needs Node.js with npm"; exit 1; }
	@npm ci --prefix client/typescript --no-audit --no-fund --ignore-scripts
	@touch $@

.PHONY: typescript
typescript: $(NODE_MODULES) ## Generate the TypeScript client's types; format, build and test it (needs Node.js)
	@cd client/typescript && npm run generate && npm run format && npm test

# One that is installed, else Debian's where this may install it, else Playwright's own.
.PHONY: browser
browser: $(VENV)
	@command -v chromium chromium-browser google-chrome > /dev/null \
	  || { command -v apt-get > /dev/null && test "$$(id -u)" = 0 && apt-get update -qq > /dev/null \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null; } \
	  || $(RUN) playwright install chromium

.PHONY: screenshots
screenshots: $(VENV) browser ## Take the pictures of the page anew, for the README
	@mkdir -p .build/screenshots docs/images
	SCREENSHOTS=.build/screenshots PYTHONPATH=src $(RUN) pytest -q tests/page -k "fresh-light-1280 or outage"
	cp .build/screenshots/fresh-light-1280.png .build/screenshots/stale.png docs/images/

# ---- benchmarks ----
# In an environment of their own: what peers import stays away from tests.
BENCH_VENV := .build/bench/venv
BENCH := PYTHONPATH=src UV="$$(realpath "$$(command -v $(UV))")" SAM="$(CURDIR)/$(SAM)" UV_PROJECT_ENVIRONMENT=$(BENCH_VENV) $(RUN) python -m bench

.build/bench/.synced: $(VENV)
	@mkdir -p $(@D)
	@UV_PROJECT_ENVIRONMENT=$(BENCH_VENV) $(UV) sync --frozen --quiet --group bench
	@touch $@

.PHONY: bench
bench: .build/bench/.synced $(SAM) ## Measure beside peers, in five to eight minutes, into docs/benchmarks.md
	@$(BENCH) $(BENCH_OPTIONS)

.PHONY: bench-large
bench-large: .build/bench/.synced $(SAM) ## A directory of 100,000 users, in some minutes, into bench/large.json
	@$(BENCH).large
	@$(BENCH) --report

.PHONY: bench-quick
bench-quick: .build/bench/.synced $(SAM) ## The same in a minute, in few rounds, for a first idea
	@$(BENCH) --quick $(BENCH_OPTIONS)

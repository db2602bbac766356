# Everything a person does with this project. `make` or `make help` lists it.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory
# Our code is compiled once, and not anew by each of the many processes, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=
PY := .venv/bin/python
RUNTIME := .venv/.installed-all
DEVELOPMENT := .venv/.installed-dev
SERVICES := auth inventory forecasting reporting
SOURCES := shared services gateway deploy demo benchmarks tests

.PHONY: help install run up down status logs operator-status access-review reconcile preflight support-bundle incident monitoring demo token code rebuild retry verify retention rotate-keys backup backups restore drill keys secrets certificates lock check format test-fast test attack prove-attack torture prove-torture bench mutants openapi dashboards contracts messages coverage lock-check scan sbom clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

$(RUNTIME): requirements/all.txt requirements/uv.txt deploy/install.sh
	@deploy/install.sh all

$(DEVELOPMENT): requirements/dev.txt requirements/uv.txt deploy/install.sh
	@deploy/install.sh dev
	@touch $(RUNTIME)  # dev holds all of it, in the same versions

install: $(RUNTIME) ## Make the virtual environment and install what running needs

run: $(RUNTIME) ## Run everything in the foreground; Ctrl-C stops it
	@exec $(PY) -m deploy.local run

up: $(RUNTIME) ## Run everything in the background; returns when all is ready
	@$(PY) -m deploy.local up

down: $(RUNTIME) ## Stop what `make up` started
	@$(PY) -m deploy.local down

status: $(RUNTIME) ## Show every process, whether it is ready, and its memory
	@$(PY) -m deploy.local status

logs: $(RUNTIME) ## Follow the logs of all processes
	@exec $(PY) -m deploy.local logs

monitoring: $(RUNTIME) ## Prometheus and Alertmanager beside `make up`, on this machine alone; Ctrl-C ends them
	@exec $(PY) -m deploy.local monitoring

demo: $(RUNTIME) ## The main job on real sales, in a tenant of its own
	@$(PY) -m deploy.local up
	@$(PY) -m demo

token: $(RUNTIME) ## Print an access token of the first administrator, whose password and codes are kept here
	@$(PY) -m deploy.local token

code: $(RUNTIME) ## Print a code of the first administrator's authenticator, for signing in elsewhere
	@$(PY) -m deploy.local code

verify: $(RUNTIME) ## Prove the journal of SERVICE=auth, inventory, forecasting or reporting
	@$(PY) -m deploy.local verify "$(SERVICE)" $(ARGUMENTS)

retention: $(RUNTIME) ## Move months that policy keeps no longer into archives, of every service; DRY=1 only says what is due
	@for service in $(SERVICES); do $(PY) -m deploy.local retention $$service $(if $(DRY),--dry-run) $(ARGUMENTS) || exit 1; done

rotate-keys: $(RUNTIME) ## Let a new key sign access tokens from now on; seal with the present keys what earlier ones sealed
	@$(PY) -m deploy.local rotate-keys auth $(ARGUMENTS)
	@$(PY) -m deploy.local rotate-keys inventory $(ARGUMENTS)

rebuild: $(RUNTIME) ## Empty the read models of SERVICE=reporting or forecasting; they are made anew
	@$(PY) -m deploy.local rebuild "$(SERVICE)" $(ARGUMENTS)

retry: $(RUNTIME) ## Apply again what SERVICE=reporting, forecasting or inventory could not apply and set aside
	@$(PY) -m deploy.local retry "$(SERVICE)" $(ARGUMENTS)

backup: $(RUNTIME) ## Make a backup now, beside the running system
	@$(PY) -m deploy.backups backup $(ARGUMENTS)

backups: $(RUNTIME) ## List the backups and what can be restored; CHECK=1 proves every file
	@$(PY) -m deploy.backups $(if $(CHECK),check,list) --cluster "$(CLUSTER)" $(ARGUMENTS)

restore: $(RUNTIME) ## Put the database back: AT=2026-11-20T12:00:00Z or its last second; YES=1 asks nothing
	@$(PY) -m deploy.backups restore --at "$(AT)" --cluster "$(CLUSTER)" $(if $(YES),--yes) $(ARGUMENTS)

drill: $(RUNTIME) ## Rehearse a restore in a folder of its own, check all, throw it away
	@$(PY) -m deploy.backups drill --at "$(AT)" --cluster "$(CLUSTER)" $(ARGUMENTS)

export: $(RUNTIME) ## Write all data of the running system into one sealed file, TO=..., for another server
	@$(PY) -m deploy.moving export "$(TO)"

import: $(RUNTIME) ## Put FROM=..., which `make export` wrote, into the empty database of a system that does not run
	@$(PY) -m deploy.moving import "$(FROM)"

mirror: $(RUNTIME) ## The second database: DO=set-up, status, check, cut-over, call-off, drop; ARGUMENTS=--json
	@$(PY) -m deploy.mirror $(or $(DO),status) $(ARGUMENTS)

access-review: $(RUNTIME) ## Who may do what in every tenant, by whom, last used, and which rights conflict; ARGUMENTS=--json
	@$(PY) -m deploy.operator access-review $(ARGUMENTS)

operator-status: $(RUNTIME) ## How the whole is: health, backups, drills, queues, lags; ARGUMENTS=--json
	@$(PY) -m deploy.operator status $(ARGUMENTS)

reconcile: $(RUNTIME) ## Compare ledger, stock, counts and journal, and what reporting has; ARGUMENTS=--json
	@$(PY) -m deploy.operator reconcile $(ARGUMENTS)

preflight: $(RUNTIME) ## What must hold before going live, each with what to do; ARGUMENTS=--json
	@$(PY) -m deploy.operator preflight $(ARGUMENTS)

support-bundle: $(RUNTIME) ## Write what a helper must know, and nothing private; ARGUMENTS='--into FOLDER'
	@$(PY) -m deploy.operator support-bundle $(ARGUMENTS)

incident: $(RUNTIME) ## DO=freeze, lift, end-sessions, changes or evidence with ARGUMENTS='--tenant all ...': docs/incidents.md
	@$(PY) -m deploy.operator incident $(DO) $(ARGUMENTS)

keys: $(RUNTIME) ## Print a fresh set of secrets, for production
	@$(PY) -m deploy.local keys

secrets: $(RUNTIME) ## Make the secrets of docker-compose.yml, a file for each; what is there is kept
	@$(PY) -m deploy.compose_secrets

certificates: $(RUNTIME) ## Make an authority for this installation, and certificates for its servers; again: renew these
	@$(PY) -m deploy.certificates

lock: $(DEVELOPMENT) ## Resolve the lock files of requirements/ anew (needs network)
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PY) -m deploy.locks write

lock-check: $(DEVELOPMENT) ## Say which lock files no longer belong to pyproject.toml
	@$(PY) -m deploy.locks check

scan: $(DEVELOPMENT) ## Look for secrets in what is committed; .secrets.baseline holds what was looked at and is none
	@git ls-files -z | xargs -0 .venv/bin/detect-secrets-hook --baseline .secrets.baseline

sbom: $(DEVELOPMENT) ## Write sbom.cdx.json: what runs in production, with versions and hashes (CycloneDX)
	@.venv/bin/cyclonedx-py requirements requirements/all.txt --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.cdx.json

coverage: $(DEVELOPMENT) ## Which lines and branches do the tests run? ARGUMENTS=tests/shared looks at some; coverage.xml
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(ARGUMENTS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage xml --quiet
	@$(PY) -m coverage report

check: $(DEVELOPMENT) ## Lint, types, layers, house rules, locks
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m pytest tests/architecture
	@$(PY) -m deploy.locks check

format: $(DEVELOPMENT) ## Format the code and fix what can be fixed by itself
	@$(PY) -m ruff check --fix-only --exit-zero .
	@$(PY) -m ruff format .

# Two halves side by side, each of which has only its own modules to load.
LOADING := tests/services tests/contracts tests/shared/web/test_every_route.py
FAST := HYPOTHESIS_EXAMPLES=15 $(PY) -m pytest -m "not stack and not slow"

test-fast: $(DEVELOPMENT) ## The tests without database and processes
	@$(FAST) $(LOADING) & services=$$!; \
	$(FAST) tests $(LOADING:%=--ignore %) --ignore tests/architecture --ignore tests/e2e; rest=$$?; \
	wait $$services && exit $$rest

test: $(DEVELOPMENT) ## All tests, in two processes side by side
	@$(PY) -m pytest -n 2 --dist loadscope --no-loadscope-reorder

attack: $(DEVELOPMENT) ## Attack the running system: what was tried, and what was held
	@$(PY) -m pytest tests/attack

prove-attack: $(DEVELOPMENT) ## Take controls out of a copy one by one: does the attack notice?
	@nice $(PY) -m tests.attack.prove

torture: $(DEVELOPMENT) ## Three minutes of 32 clients while everything is killed; ARGUMENTS='--seed 7 --hours 2' repeats, lasts
	@$(PY) -m tests.torture $(ARGUMENTS)

prove-torture: $(DEVELOPMENT) ## Plant bugs in a copy one by one: does the torture catch them?
	@nice $(PY) -m tests.torture.prove

bench: $(DEVELOPMENT) ## Measure the hot paths against their yardsticks
	@$(PY) -m benchmarks

mutants: $(DEVELOPMENT) ## Change rules and security one place at a time: do tests notice?
	@HYPOTHESIS_EXAMPLES=15 nice $(PY) -m mutmut run --max-children 1
	@$(PY) -m mutmut results

openapi: $(DEVELOPMENT) ## Write docs/openapi/*.json from the code
	@mkdir -p docs/openapi
	@for service in $(SERVICES); do $(PY) -m services.$$service openapi > docs/openapi/$$service.json.new && mv docs/openapi/$$service.json.new docs/openapi/$$service.json || exit 1; done

dashboards: $(DEVELOPMENT) ## Write deploy/grafana/dashboards/*.json from the code
	@$(PY) -m deploy.grafana

contracts: $(DEVELOPMENT) ## Write docs/contracts/*.json: what services promise one another
	@$(PY) -m tests.contracts

messages: $(DEVELOPMENT) ## Bring the French, and what /problems/ explains, up to date with the code
	@$(PY) -m deploy.messages
	@$(PY) -m deploy.problems

clean: ## Remove the virtual environment and caches; data in .local stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache mutants

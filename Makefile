# `make serve` and `make test` each work as the first command on a fresh clone; `make` alone lists the others.
# Everything lands in .venv, from the hash-pinned files in requirements/; a second run starts at once.

VENV := .venv
BIN := $(VENV)/bin
# Arguments for what is run: make serve ARGS="--port 9000", make test ARGS="-k ledger -x"
ARGS ?=
# How long make torture fuzzes, and then kills.
SECONDS_EACH ?= 600
# Your own choice of interpreter: make serve PYTHON=python3.12
PYTHON ?=
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
INSTALL := $(PIP) install --require-hashes --no-deps --requirement
VENDOR := src/partway/web/static/vendor
# Other people's npm packages, which `make test-all` drives partway with.
SDKS := tests/protocol/sdks
# What `make test` leaves to `make test-all`; these folders need Playwright to be collected at all.
FAST := -m "not (services or browser or sdk or crash_long or slow)" --ignore=tests/browser --ignore=$(SDKS)

.DEFAULT_GOAL := help
.PHONY: help serve test test-all torture lint format docs bench pins clean
.DELETE_ON_ERROR:

help: ## This list
	@echo "partway: upload a video part by part and watch it while it is still on its way"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done
	@echo
	@echo 'Arguments go in ARGS, for example: make serve ARGS="--port 9000"'

serve: $(VENV)/.serve ## Set everything up and serve on http://127.0.0.1:8080
	@[ -s $(VENDOR)/manifest.json ] || $(BIN)/python hatch_build.py || true
	@exec $(BIN)/partway serve $(ARGS)

test: $(VENV)/.test ## Set everything up and run the tests that need no service (3 to 5 minutes)
	@exec $(BIN)/python -m pytest $(FAST) $(ARGS)

test-all: $(VENV)/.all ## Every test; needs Chromium and PostgreSQL, and names what is missing
	@missing=; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	if [ -n "$$missing" ]; then \
	  printf '\n*** make test-all skips nothing, and this machine lacks:%s\n*** On Debian and Ubuntu: sudo apt-get install -y%s\n\n' "$$missing" "$$missing" >&2; exit 1; \
	fi
	@exec $(BIN)/python -m pytest $(ARGS)

torture: $(VENV)/.all $(VENV)/.torture ## Fuzzing and kills for as long as you like: make torture SECONDS_EACH=3600
	HYPOTHESIS_PROFILE=torture $(BIN)/python -m pytest --timeout=0 tests/unit/ledger tests/unit/media -k "fuzz or machine or grid" $(ARGS)
	$(BIN)/python -m tests.torture.media -max_total_time=$(SECONDS_EACH)
	end=$$(($$(date +%s) + $(SECONDS_EACH))); while [ $$(date +%s) -lt $$end ]; do $(BIN)/python -m pytest -q --timeout=600 tests/crash || exit; done

lint: $(VENV)/.serve $(VENV)/.lint ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.lint ## Let ruff repair and format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.serve ## Write docs/reference/ anew from the code
	$(BIN)/python docs/generate.py

bench: $(VENV)/.test ## Run the benchmarks; they print, they never fail on a time
	@for bench in $$(grep -l "^if __name__" bench/*.py); do \
	  echo "== $$bench"; $(BIN)/python -m bench.$$(basename "$$bench" .py) $(ARGS) || exit; \
	done

clean: ## Remove what was built and installed (not partway-data)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* $(VENDOR) $(SDKS)/node/node_modules
	find src tests docs bench examples -name __pycache__ -type d -prune -exec rm -rf {} +

# The first interpreter that is new enough and can make a venv; else the apt line that is missing.
$(BIN)/python:
	@found=; lacking=; \
	for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.14); do \
	  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  if "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then found=$$candidate; break; fi; \
	  lacking=$${lacking:-$$candidate}; \
	done; \
	if [ -z "$$found" ]; then \
	  if [ -n "$$lacking" ]; then \
	    printf '\n*** %s can not make virtual environments yet. On Debian and Ubuntu:\n***   sudo apt-get install -y %s-venv\n\n' "$$lacking" "$$(basename "$$lacking")" >&2; \
	  else \
	    printf '\n*** partway needs Python 3.11 or newer (found: %s). On Debian and Ubuntu:\n***   sudo apt-get install -y python3 python3-venv\n*** or, where python3 is older than that: sudo apt-get install -y python3.12 python3.12-venv\n\n' "$$(python3 --version 2>/dev/null || echo none)" >&2; \
	  fi; \
	  exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$("$$found" --version) (once)"; \
	rm -rf $(VENV) && "$$found" -m venv $(VENV)

# A stamp a tier: pinned packages, then partway itself, editable and without build isolation.
$(VENV)/.serve: requirements/serve.txt requirements/node.txt pyproject.toml hatch_build.py web-assets/package-lock.json | $(BIN)/python
	@echo "Installing partway and what it needs (a minute, once)"
	@$(INSTALL) requirements/serve.txt
	@if $(BIN)/python hatch_build.py needs-node; then $(INSTALL) requirements/node.txt; fi
	@$(BIN)/python hatch_build.py || true
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.serve requirements/test.txt
	@echo "Installing what the tests need (once)"
	@$(INSTALL) requirements/test.txt
	@touch $@

$(VENV)/.all: $(VENV)/.test requirements/all.txt requirements/node.txt $(SDKS)/node/package-lock.json
	@echo "Installing what all the tests need (once)"
	@$(INSTALL) requirements/all.txt
	@if $(BIN)/python hatch_build.py lacks-node; then $(INSTALL) requirements/node.txt; fi
	@$(BIN)/python $(SDKS)/npm.py || { printf '\n*** npm could not install %s/node/package-lock.json, and make test-all skips nothing\n\n' $(SDKS) >&2; exit 1; }
	@touch $@

$(VENV)/.torture: requirements/torture.txt | $(BIN)/python
	@$(INSTALL) requirements/torture.txt
	@touch $@

$(VENV)/.lint: requirements/lint.txt | $(BIN)/python
	@echo "Installing the linters (once)"
	@$(INSTALL) requirements/lint.txt
	@touch $@

# One resolution for all of them, so that no two files disagree. No index address gets in.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --upgrade --custom-compile-command "make pins"
EVERYTHING := build/everything.txt

pins: | $(BIN)/python ## Renew requirements/*.txt and the package-lock.json files
	@$(PIP) install uv
	@mkdir -p build
	PATH="$(BIN):$$PATH" $(COMPILE) pyproject.toml --all-extras --group build --group node --group all --group lint --group torture --output-file $(EVERYTHING)
	PATH="$(BIN):$$PATH" $(COMPILE) pyproject.toml --constraints $(EVERYTHING) --extra server --group build --output-file requirements/serve.txt
	PATH="$(BIN):$$PATH" $(COMPILE) pyproject.toml --constraints $(EVERYTHING) --extra server --extra ffmpeg --group build --group test --output-file requirements/test.txt
	PATH="$(BIN):$$PATH" $(COMPILE) pyproject.toml --constraints $(EVERYTHING) --all-extras --group build --group all --output-file requirements/all.txt
	PATH="$(BIN):$$PATH" $(COMPILE) --constraints $(EVERYTHING) --group lint --output-file requirements/lint.txt
	PATH="$(BIN):$$PATH" $(COMPILE) --constraints $(EVERYTHING) --group torture --output-file requirements/torture.txt
	PATH="$(BIN):$$PATH" $(COMPILE) --constraints $(EVERYTHING) --group node --output-file requirements/node.txt
	for folder in web-assets $(SDKS)/node; do \
	  (cd $$folder && rm -f package-lock.json && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved) || exit; \
	done

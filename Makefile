# Two commands do all the set-up: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder
SHOP := $(or $(LOOKBOOK_HOME),.)

.PHONY: help demo test endurance ui check clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 8

demo: .venv/light ## Build the drawn sample shop and search one photo in it
	$(BIN)/lookbook build --stale
	@photo=$$(ls $(SHOP)/data_lake/sample_catalog/queries/*.jpg 2>/dev/null | sed -n 12p); \
	if [ -n "$$photo" ]; then \
		$(BIN)/lookbook search "$$photo" --save-grid $(SHOP)/demo/result.png && \
		echo "open $(SHOP)/demo/result.png to see it; \`make ui\` opens Dagster on http://127.0.0.1:3000"; \
	else \
		echo "this home has a feed of its own: .venv/bin/lookbook search PHOTO searches it"; \
	fi

ui: .venv/light ## Open Dagster's UI on what was built
	$(BIN)/lookbook dev

test: .venv/extras ## Run the tests, three files at a time; all but the endurance tests
	$(PYTEST) -m "not endurance"

endurance: .venv/extras ## Kill builds, fill disks, leave a daemon alone, train, export full-size checkpoints
	$(PYTEST) -m endurance

check: .venv/extras ## Lint, types and Dagster's own validation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/dagster definitions validate --workspace workspace.yaml --workspace workspace-training.yaml

clean: ## Remove everything that was built, but not the virtual environment
	rm -rf .dagster .env lookbook.toml demo android_bundle/versions android_bundle/current android_bundle/.building \
		android_bundle/history.json android_bundle/.publish.lock
	find data_lake -mindepth 1 ! -name README.md -delete
	rm -rf models/fp32 models/int8

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Lookbook needs Python 3.11 or newer: install it, or make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv || { echo "no venv module: on Debian and Ubuntu, apt install python3-venv"; exit 1; }

# setuptools is pinned like the rest: it is installed first, and builds without fetching another.
.venv/light: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) 'setuptools>=77'
	$(PIP) --no-build-isolation --editable .
	@touch $@

.venv/extras: pyproject.toml constraints.txt .venv/light
	$(PIP) --no-build-isolation --editable '.[pretrained,browser,postgres,dev]'
	@touch $@

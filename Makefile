# On Debian 12, with git, make and python3 alone, `make demo` and `make test` each install what they need.

UV ?= .venv/bin/uv
LOCK = $(UV) pip compile --quiet --universal --python-version 3.10 --generate-hashes --only-binary :all: \
	--emit-build-options --no-emit-index-url --custom-compile-command "make lock"

.PHONY: help setup demo test test-networks test-others test-qgis check coverage reference package lock clean

help: ## Say what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile

setup: ## Install QGIS where it is missing, and make .venv and .venv-qgis
	@tools/setup.sh

demo: setup ## From a simulated site to its land cover map
	.venv/bin/python tools/demo.py

test: ## Run the tests: the core in .venv, the plugin in QGIS's Python
	@$(MAKE) --no-print-directory --keep-going test-networks test-others

# Each takes about half of the time, also side by side.
NETWORKS = tests/core/networks tests/core/training tests/core/mapping

test-networks: setup
	.venv/bin/python -m pytest $(NETWORKS)

test-others: setup
	@failed=0; \
	.venv/bin/python -m pytest tests/core $(NETWORKS:%=--ignore=%) || failed=1; \
	QT_QPA_PLATFORM=offscreen TWINNS_PYTHON="$(CURDIR)/.venv/bin/python" \
		.venv-qgis/bin/python -m pytest tests/qgis || failed=1; \
	exit $$failed

test-qgis: ## Run the plugin's tests in the QGIS of another Debian, such as ROOT=trixie or ROOT=sid
	tools/test_qgis_root.sh $(ROOT)

# The plugin is a package whose name is that of the folder it is installed in.
check: setup ## Style, types and security
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	.venv/bin/python -m mypy tools
	@mkdir -p build/types && ln -sfn ../.. build/types/twinns
	MYPYPATH=build/types .venv/bin/python -m mypy -p twinns.algorithms -p twinns.plugin
	.venv/bin/python -m bandit --quiet --recursive twinns_qgis algorithms plugin.py __init__.py

coverage: setup ## Say which lines of the core no test reaches
	.venv/bin/python -m coverage run -m pytest tests/core
	.venv/bin/python -m coverage report

reference: ## Write docs/parameters.md from the declarations, and the graphical models
	.venv/bin/python tools/reference.py
	.venv-qgis/bin/python tools/build_models.py

package: ## Write the plugin's zip to dist/; with RELEASE=1, refuse addresses that are placeholders
	python3 tools/package.py $(if $(RELEASE),--release)

# Versions that still fit are kept; delete a lock first to get the newest of everything.
lock: ## Write the locks anew from pyproject.toml
	$(LOCK) pyproject.toml --output-file requirements.txt
	for group in cuda jax torch uv; do \
		$(LOCK) --group $$group --constraint requirements.txt --output-file requirements-$$group.txt; \
	done
	$(LOCK) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --group qgis-tests --output-file requirements-qgis-tests.txt

clean: ## Remove the environments and whatever make wrote
	rm -rf .venv .venv-qgis build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

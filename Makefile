# The commands of a checkout. Each one makes .venv for itself, so a fresh clone needs Python 3.11 or newer and make.
#   make run ARGS="--port 5001"     further arguments for the program
#   make test TESTS="tests/proxy_core -k sse"     a part of the suite
#   PYTHON=python3.12 make run      choose the interpreter that .venv is made with

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench bench-session bench-counting agents installer deb container lock readme clean

BIN := .venv/bin
ARGS ?=
TESTS ?=

help: ## show these lines
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the tray program with the built-in demo server (without a display: headless)
	@.ci/setup run
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] || [ "$$(uname)" = Darwin ]; then \
	  exec $(BIN)/anthropic-proxy --demo $(ARGS); \
	else \
	  echo "There is no display here, so the proxy starts without its tray icon (--headless --demo)."; \
	  exec $(BIN)/anthropic-proxy --headless --demo $(ARGS); \
	fi

test: ## lint, types, import floors, then all tests (also on a machine without a display)
	@.ci/setup test
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest $(TESTS)

lint: ## ruff (rules and format), mypy, import floors
	@.ci/setup lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ## put imports in order and lay out the code
	@.ci/setup lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## measure the proxy beside a bare pass-through (QUICK=1: a short run)
	@.ci/setup run
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(ARGS)

bench-session: ## what a long agent session costs: passed through, edited naively, and by the proxy
	@.ci/setup run
	@$(BIN)/python -m tests.bench.session $(ARGS)

bench-counting: ## how long counting tokens takes, and how long it holds up the loop
	@.ci/setup run
	@$(BIN)/python -m tests.bench.counting $(ARGS)

agents: ## let real coding agents write a file through the demo server (needs Node and the npm registry; TRAY=1: the tray program)
	@.ci/setup $(if $(TRAY),test,run)
	@$(if $(TRAY),tests/desktop/session.sh) $(BIN)/python -m tests.agents $(if $(TRAY),--tray) $(ARGS)

installer: ## build dist/anthropic-proxy, a folder that runs without Python
	@.ci/setup installer
	nice $(BIN)/pyinstaller --noconfirm --log-level WARN build.spec

deb: installer ## build a Debian package of it, in dist/
	@resources/packaging/debian/build dist/anthropic-proxy dist

container: ## do the steps of the Dockerfile without an engine and start the result as another user (as root)
	@.ci/setup lint
	@$(BIN)/python -m tests.container $(ARGS)

lock: ## resolve the dependencies of pyproject.toml anew into requirements.lock
	@.ci/setup lint
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-package anthropic-proxy --custom-compile-command "make lock" \
	  $(ARGS) --output-file requirements.lock pyproject.toml
	$(BIN)/python -m tests.packages --write

readme: ## write the settings table in README.md and .env.example anew from the declarations
	@.ci/setup lint
	@$(BIN)/python -m tests.readme --write

clean: ## remove what the other commands made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find app proxy_core tests -name __pycache__ -type d -prune -exec rm -rf {} +

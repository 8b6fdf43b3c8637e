# make chat   sets everything up and talks to the bot here in the terminal; needs no account
# make demo   the same in a browser, with a made-up Telegram and Slack
# make test   sets everything up and runs every check; CI runs the same
# make locales  compiles the translations after a change of a .po file
# make lock   renews the lock files after a change of the dependencies in pyproject.toml

.PHONY: chat demo test types suite lock locales clean

VENV := .venv
BIN := $(VENV)/bin
# For more than a third of its time a test waits for another process or a deadline: two workers more
# than there are processors.
export PYTEST_XDIST_AUTO_NUM_WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --no-deps

chat: $(VENV)/.local
	@$(BIN)/bot chat

demo: $(VENV)/.local
	@$(BIN)/bot demo

# The types are checked beside the tests, which leave a processor idle now and then.
test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs=2 types suite

types: $(VENV)/.dev
	$(BIN)/mypy

# Coverage is that of the core by its own tests: all of it is seen there, and everything that runs
# while coverage is watched takes twice as long.
suite: $(VENV)/.dev
	$(PYTEST) tests/core --cov
	$(PYTEST) --ignore tests/core

# A stamp per set of packages; the lock files are exact, so nothing is resolved and both sets fit
# into one environment. Standard output is left to the answer of `echo question | make -s chat`.
$(VENV)/.local: requirements-local.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements-local.lock -r requirements-build.lock >&2
	$(INSTALL) --no-build-isolation --quiet -e . >&2
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements-dev.lock
	$(INSTALL) --no-build-isolation --quiet -e .
	@touch $@

# PYTHON may name an interpreter; else the first one that is new enough is taken.
$(VENV)/bin/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Setting up $(VENV) with $$($$python --version). This happens once and takes a few minutes." >&2; \
			exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo "Chinwag needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1

lock: | $(VENV)/bin/python
	@venv=$$(mktemp -d) && trap 'rm -rf "$$venv"' EXIT && \
	$(BIN)/python -m venv "$$venv" && "$$venv/bin/pip" install --quiet uv && \
	compile() { \
		out=$$1; shift; \
		"$$venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --custom-compile-command "make lock" -o "$$out" "$$@"; \
	} && \
	compile requirements-dev.lock pyproject.toml --all-extras --group dev && \
	compile requirements.lock pyproject.toml --extra postgres -c requirements-dev.lock && \
	compile requirements-local.lock pyproject.toml --extra local -c requirements-dev.lock && \
	compile requirements-build.lock --group build -c requirements-dev.lock

locales: $(VENV)/.dev
	$(BIN)/pybabel compile --directory bot/locales --domain chinwag

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage

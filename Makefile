# The two commands are `make run` and `make test`; neither needs root, Docker or a service.
SHELL := /bin/sh
PORT ?= 8000
export PORT

VENV := .venv
BIN := $(VENV)/bin
# PYTHON=/path/to/python chooses; otherwise the first that fits.
CANDIDATES := $(or $(PYTHON),python3 python3.13 python3.12 python3.11)
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.PHONY: run test lint fmt bench demo-reset up backup restore requirements python

run: $(VENV)/.run
	@$(BIN)/python manage.py serve

test: $(VENV)/.dev lint
	@$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy

fmt: $(VENV)/.dev
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev
	@$(BIN)/python -m bench

demo-reset: $(VENV)/.run
	@$(BIN)/python manage.py demo_reset

up:
	docker compose up --build

# Where backups go, outside var/, which demo-reset empties.
BACKUPS ?= backups

backup: $(VENV)/.run
	@$(BIN)/python manage.py backup $(BACKUPS)

# make restore FROM=backups/2027-05-10T170000Z
restore: $(VENV)/.run
	@test -n "$(FROM)" || { echo "Say which backup: make restore FROM=$(BACKUPS)/<day-time>" >&2; exit 1; }
	@$(BIN)/python manage.py restore $(FROM)
	@$(BIN)/python manage.py prepare

# After a change of the dependencies in pyproject.toml
requirements: $(VENV)/.dev
	$(BIN)/pip-compile -q --no-emit-find-links --no-emit-index-url --strip-extras --output-file=requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --no-emit-find-links --no-emit-index-url --strip-extras --extra=dev \
		--constraint=requirements.txt --output-file=requirements-dev.txt pyproject.toml

# A stamp for each list: the second run installs nothing and takes no time.
$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing what the portal stands on (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing what the portal and its tests stand on (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@ $(VENV)/.run

$(BIN)/python:
	@for python in $(CANDIDATES); do \
		if "$$python" -c '$(FITS)' 2>/dev/null; then \
			"$$python" -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); \
			echo "$$python cannot make a virtual environment. Install its venv package (Debian: apt install python3-venv)." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "The portal needs Python 3.11, 3.12 or 3.13. Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; \
	exit 1

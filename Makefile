# Every target works on a bare machine with python3 (3.11 to 3.13, with venv), git and make. No root, nothing to start.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
# With which versions of others; empty: with the newest that pyproject.toml allows.
CONSTRAINTS ?= constraints.txt
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(addprefix --constraint ,$(CONSTRAINTS))
READY   = $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run demo test test-all fuzz lint format docs pictures bench figures size constraints dist clean

help: ## print this list
	@echo "simwarden: the mobile network of IoT SIM cards on a laptop"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

# Rebuilt whenever one of these changes: entry points of an editable install are read only then.
$(READY): pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' || { echo "simwarden needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "python3-venv is missing: install it with 'apt install python3-venv' (Debian, Ubuntu), then run make again" >&2; exit 1; }
	@echo "Preparing $(VENV) (once, about a minute) ..."
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(PIP) --editable '.[traffic]'
	@touch $@

# The tools of tests and `make lint`, on top of the environment above.
$(VENV)/.test: $(READY)
	@echo "Adding the test tools ..."
	@$(PIP) --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(PIP) --group lint
	@touch $@

run: $(READY) ## the demo: a moved card is refused; then all shipped scenarios and their report
	@$(BIN)/simwarden demo
	@$(BIN)/simwarden run scenarios -j auto --report report

demo: $(READY) ## the live page: misuse a card yourself, and see who says no
	@$(BIN)/simwarden live --open

PYTEST = $(BIN)/python -m pytest -q -n auto --dist worksteal

test: $(VENV)/.test ## the quick unit tests
	@$(PYTEST) -m "not slow" tests/unit tests/vectors

test-all: $(VENV)/.test ## all tests: those with other programs, implementations and browsers too, and the searches
	@$(PYTEST) --ignore=tests/bench tests

# The property tests run in one process: only there Hypothesis writes what it finds as a patch of @example lines.
fuzz: export FUZZ_CASES = $(or $(N),100000)
fuzz: export FUZZ_SEED := $(or $(SEED),$(shell od -An -N3 -tu4 /dev/urandom | tr -d ' '))
fuzz: $(VENV)/.test ## property tests, wire families and attach flows at random: make fuzz N=1000000 (octet strings), SEED=2
	@echo "make fuzz N=$(FUZZ_CASES) SEED=$(FUZZ_SEED)"
	@$(BIN)/python -m pytest -q -m hypothesis -o faulthandler_timeout=0 tests/unit
	@$(BIN)/python -m pytest -q -n auto -rP -o faulthandler_timeout=0 tests/fuzz

lint: $(VENV)/.lint ## linters, formatting, type checks, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy tests
	@$(BIN)/lint-imports

format: $(VENV)/.lint ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(READY) ## write pages that are made of declarations (docs/elements, docs/causes.md), and the output that others show
	@$(BIN)/simwarden reference docs
	@$(BIN)/python tests/support/shown.py

pictures: export PICTURES_WRITE = 1
pictures: $(VENV)/.test ## take the pictures of the pages anew (docs/pictures); needs chromium
	@$(PIP) --group web
	@$(BIN)/python -m pytest -q tests/web/test_pictures.py tests/web/test_live.py -k "picture"

bench: $(VENV)/.test ## where the time of an attach goes, and other figures
	@$(BIN)/python -m pytest -q -s -o faulthandler_timeout=0 tests/bench

figures: export BENCH_WRITE = 1
figures: bench ## the same, written into docs/performance.md; on a quiet machine

size: ## code lines by package, YAML, JavaScript, and the seconds of the last .ci/run
	@$(PYTHON) tests/support/size.py

constraints: ## take the newest versions of what we need into constraints.txt
	@$(MAKE) --no-print-directory VENV=.venv-newest CONSTRAINTS= .venv-newest/.lint
	@.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check --group web build
	@{ grep '^#' constraints.txt; .venv-newest/bin/python -m pip freeze --exclude-editable; } > constraints.new
	@mv constraints.new constraints.txt && rm -rf .venv-newest

dist: $(VENV)/.test ## build wheel and sdist into dist/
	@$(PIP) build
	@$(BIN)/python -m build --outdir dist .

clean: ## remove the environment and everything generated
	@rm -rf $(VENV) dist build report .pytest_cache .mypy_cache .ruff_cache

# Everything starts here, on a bare machine with Python 3.11 or newer:
#   make demo      the environment, then the main job on the laboratory model
#   make test      the environment, then the whole suite (ARGS="-k evidence" for a part)
#   make judge     the tests of answers that a model judges, with Inspect beside the environment
#   make check     format, lint, types, import layers
#   make coverage  branches of the nouns and the mathematics that the tests reach
#   make slow      the tests that take minutes or a real model
#   make lock      requirements.lock anew, from what pyproject.toml allows
#   make clean     everything away that the others made

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=
# A build of torch without CUDA: 0.2 GB instead of 2.7. `make TORCH_INDEX=` takes the default build, with CUDA on Linux.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

BIN := .venv/bin
READY := .venv/.ready
PIP = $(BIN)/python -m pip --disable-pip-version-check
TORCH := $(shell sed -n 's/^ *"\(torch==[0-9.]*\)".*/\1/p' pyproject.toml)
# One thread a process: the workers are the parallelism.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

# Says where the torch index is, if it answers within seconds, and nothing otherwise.
define PROBE
import sys, urllib.request
url = sys.argv[1]
try:
    urllib.request.urlopen(url + "/torch/", timeout=8).close()
    print("--extra-index-url", url)
except (OSError, ValueError):
    pass
endef
export PROBE

JUDGE := $(shell sed -n 's/^judge = \[\(.*\)\].*/\1/p' pyproject.toml | sed 's/", "/" "/g')

.PHONY: demo test judge check coverage slow lock clean environment

demo: $(READY)
	$(BIN)/personae lab $(ARGS)

# In a process of its own: a worker that had started Ray for it once crashed in another file's Ray. A part that ARGS asks
# for runs in one go.
POOL = tests/test_simulator_pool.py

test: $(READY)
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --durations=15 $(if $(ARGS),,--ignore=$(POOL)) $(ARGS)
	$(if $(ARGS),,$(ONE_THREAD) $(BIN)/python -m pytest -q $(POOL))

# Inspect stands beside the environment: it wants an older fsspec and python-dateutil than are locked. What it leaves open
# is its own: warnings are told, and are no errors.
judge: $(READY)
	test -f build/judge/.ready || $(PIP) install --quiet --upgrade --target build/judge $(JUDGE)
	touch build/judge/.ready
	PYTHONPATH=build/judge $(ONE_THREAD) $(BIN)/python -m pytest -q -W default tests/test_judge.py

coverage: $(READY)
	$(ONE_THREAD) $(BIN)/python -m pytest -q -n $(WORKERS) tests/test_records*.py tests/test_theory*.py \
		--cov=personae.records --cov=personae.theory --cov-branch --cov-fail-under=97

slow: $(READY)
	$(BIN)/python -m pytest -m slow --durations=0 $(ARGS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

environment: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "personae needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --quiet $(TORCH) -r requirements.lock $$($(BIN)/python -c "$$PROBE" "$(TORCH_INDEX)")
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet '.[dev]' setuptools $$($(PYTHON) -c "$$PROBE" "$(TORCH_INDEX)")
	build/lock/bin/python -m pip list --format=freeze --exclude torch --exclude pip --exclude personae \
		| tr 'A-Z_' 'a-z-' | grep -Ev '^(nvidia-|cuda-|triton)' > requirements.lock
	rm -rf build/lock

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

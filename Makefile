# Everything needs Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WHEEL := build/wheel
# Tests import the installed wheel, never the tree.
# A file of tests is one worker's, as many as there are cores: much of a test is waiting for processes.
PYTEST := PYTHONPATH=$(WHEEL) INFERSIGHT_TEST_WHEEL=$(CURDIR)/$(WHEEL) $(BIN)/python -m pytest \
	--numprocesses auto --maxprocesses 4 --dist loadfile

.PHONY: demo test test-all fuzz lint wheel bench evaluate dev clean

demo: .venv/installed ## the whole path: server, collector, faults, forensics
	$(BIN)/infersight demo

test: lint wheel ## everything that CI runs
	$(PYTEST) -m "not slow"

test-all: lint wheel .venv/installed-foreign ## the heavier suites too
	$(PYTEST)

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/pyright --pythonpath $(BIN)/python

wheel: .venv/installed-dev
	rm -rf dist $(WHEEL)
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .
	$(PIP) install --no-deps --target $(WHEEL) dist/*.whl

fuzz: .venv/installed-dev ## a million mutated requests through the decoder; SEED=n for another million
	INFERSIGHT_FUZZ_CASES=1000000 INFERSIGHT_FUZZ_SEED=$(or $(SEED),20260101) \
		$(BIN)/python -m pytest -q --durations=0 tests/collector/decode/test_fuzz.py

bench: .venv/installed-foreign ## ratios against a peer or a reference, measured in one run
	for benchmark in tests/benchmarks/*.py; do \
		echo "== $$benchmark"; PYTHONPATH=. $(BIN)/python $$benchmark || exit 1; \
	done

evaluate: .venv/installed-dev ## whether the verbs find the truth: causes injected into a real server
	PYTHONPATH=. $(BIN)/python tests/evaluation/injection.py --output build/injection.json $(OPTIONS)

dev: .venv/installed-dev ## an editable install with every tool

.venv/installed: pyproject.toml tests/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "infersight needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@echo "Installing into .venv (a few minutes the first time: PyTorch is large)"
	$(PYTHON) -m venv .venv
	$(PIP) install --upgrade pip
	$(PIP) install --editable '.[all]' --constraint tests/constraints.txt
	@touch $@

.venv/installed-dev: .venv/installed
	$(PIP) install --editable '.[dev]' --constraint tests/constraints.txt
	@touch $@

# Not for every platform; the tests of what is missing are skipped.
.venv/installed-foreign: .venv/installed-dev
	-$(PIP) install --group foreign && touch $@

clean:
	rm -rf .venv build dist infersight-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

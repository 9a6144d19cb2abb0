# Everything a fresh machine needs is done by `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
RUN ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)

ONLY ?=

.PHONY: demo test slow check lint format typecheck packages wheel golden bench edits scores fuzz kills hostile soak clean .typecheck

demo: $(READY)
	$(BIN)/hl synth policies/breakout/start.hl --run $(RUN) --protocol deterministic --steps 300000 --seed 2

test: $(READY)
	$(BIN)/python -m pytest -n 2 --durations=30

# The checks that take too long for every change.
slow: kills hostile soak fuzz

# Formatter, linter and type checker. `make lint ONLY=verify` and `make typecheck ONLY=verify/` look at one folder.
check: lint typecheck

lint: $(READY)
	$(BIN)/ruff format --check $(ONLY)
	$(BIN)/ruff check $(ONLY)

format: $(READY)
	$(BIN)/ruff check --fix $(ONLY)
	$(BIN)/ruff format $(ONLY)

typecheck: $(READY) .typecheck
	@.ci/typecheck $(ONLY)

# Writes the list of packages in pyproject.toml.
packages: $(READY)
	$(BIN)/python -m tests.support.house.packages

# Builds the wheel and uses it in a clean environment.
wheel: $(READY)
	.ci/wheel

golden: $(READY)
	$(BIN)/python -m tests.golden.update

bench: $(READY)
	$(BIN)/python -m benchmarks

edits: $(READY)
	$(BIN)/python -m benchmarks.edits

scores: $(READY)
	$(BIN)/python -m benchmarks.scores $(POLICY) $(if $(SEEDS),--seeds $(SEEDS))

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz.run_fuzz
	$(BIN)/python -m tests.fuzz.run_walks

kills: $(READY)
	$(BIN)/python -m tests.fuzz.kill_studies

hostile: $(READY)
	$(BIN)/python -m tests.fuzz.hostile_evaluators

soak: $(READY)
	$(BIN)/python -m tests.fuzz.soak

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "HL needs Python 3.11 or newer; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $(READY)

# mypy does not see the folder mapping of pyproject.toml; this view of links has the folders where they are installed.
.typecheck:
	@rm -rf .typecheck && mkdir -p .typecheck/hl_dsl
	@for path in hl_dsl/*; do ln -s $(CURDIR)/$$path .typecheck/$$path; done
	@for folder in grammar compiler verify synth policies; do ln -s $(CURDIR)/$$folder .typecheck/hl_dsl/$$folder; done
	@for folder in benchmarks tests; do ln -s $(CURDIR)/$$folder .typecheck/$$folder; done

clean:
	rm -rf .venv .typecheck .mypy_cache .ruff_cache build *.egg-info

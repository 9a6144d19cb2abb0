# Everything a fresh machine needs is done by `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
RUN ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)

.PHONY: demo test bench edits scores fuzz kills hostile soak clean

demo: $(READY)
	$(BIN)/hl synth policies/breakout/start.hl --run $(RUN) --protocol deterministic --steps 300000 --seed 0

test: $(READY)
	$(BIN)/python -m pytest -n 2

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

# Type checkers do not see the folder mapping of pyproject.toml; this view of links lets them resolve it.
.typecheck: pyproject.toml
	rm -rf .typecheck && mkdir -p .typecheck
	cp -rs $(CURDIR)/hl_dsl .typecheck/hl_dsl
	for folder in grammar compiler verify synth policies; do ln -s $(CURDIR)/$$folder .typecheck/hl_dsl/$$folder; done

clean:
	rm -rf .venv .typecheck build *.egg-info

# `make run` watches a conformance run against the embedded target; `make test` is the gate of this repository, in minutes,
# and `make slow` what else CI runs: tests that each take seconds.
# Both need Python 3.11 or later and a package index (as pip is configured), and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# What pytest makes of the tests is kept, or each of its processes makes it anew.
unexport PYTHONDONTWRITEBYTECODE

.DELETE_ON_ERROR:
.PHONY: run test slow selftest attack mutants bench docs site zoo lock clean

run: $(READY)
	$(BIN)/rules-harness check --out out

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow" tests/test_selftest.py tests

slow: $(READY)
	$(BIN)/pytest -n 3 --dist loadfile -m slow tests

selftest: $(READY)
	$(BIN)/rules-harness selftest --seeds 3

# What leaves for a target off this machine: the whole gate and a minute of campaign, counted by a proxy. Two minutes.
attack: $(READY)
	RULES_HARNESS_WHOLE=1 $(BIN)/pytest -q tests/attack/test_proxy.py

mutants: $(READY)
	$(BIN)/python -m benchmarks.mutants

# Beside the peers, into docs/bench.md: a quarter of an hour on two idle cores. `make bench BENCH='--sample 20'` looks for more faults.
bench: $(READY)
	$(BIN)/python -m benchmarks.bench $(BENCH)

# The pages of requirements, from openapi/rules.yaml.
docs: $(READY)
	$(BIN)/python -m rules_harness.reports.requirements > docs/requirements.md
	$(BIN)/python docs/pages.py

# The documentation as a site, in site/.
site: $(READY)
	$(BIN)/mkdocs build --strict

# Servers by other hands, and their mistakes: hours. `make zoo ZOO=--help` says how to have less.
zoo: $(READY)
	$(BIN)/python -m tests.targets.zoo $(ZOO)

# From pyproject.toml. Take the oldest Python that the project supports: what only that one needs is then locked too.
lock: $(READY)
	CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --all-extras --allow-unsafe --strip-extras \
	  --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .zoo build out site *.egg-info

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

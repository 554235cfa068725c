# What a person runs. Needs Python >= 3.11 with pip and venv, and make; everything else is installed into .venv.
#
#   make up      the whole system on this machine   PORT=8000 DATA=./.tongban CASES=300
#   make test    format, lint, types, layers, all tests   TONGBAN_TEST_KAFKA=host:port REQUIRE_KAFKA=1
#   make bench   the benchmarks; one JSON document on stdout
#   make chaos   only the tests that kill processes      make soak   the long ones
#   make lock    requirements*.lock anew                 make clean  removes .venv and caches, not the data

PYTHON ?= python3
PORT   ?= $(or $(TONGBAN_PORT),8000)
DATA   ?= $(or $(TONGBAN_DATA),./.tongban)
CASES  ?= 300
BROKER ?= auto

BIN := .venv/bin

.PHONY: up test bench chaos soak lock clean python
.DEFAULT_GOAL := up

# A killed make takes `up` along (TONGBAN_FOLLOW_PARENT); Ctrl-C reaches it as it takes the shell's place (exec).
up: .venv/runtime.stamp
	@TONGBAN_FOLLOW_PARENT=1 exec $(BIN)/tongban up --port $(PORT) --data "$(DATA)" --cases $(CASES) --broker $(BROKER)

test: .venv/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -m "not soak" $(ARGS)

bench: .venv/dev.stamp
	@$(BIN)/python -m benchmarks

chaos: .venv/dev.stamp
	@KILLS=$${KILLS:-20} $(BIN)/python -m pytest -m chaos -s $(ARGS)

soak: .venv/dev.stamp
	@$(BIN)/python -m pytest -m soak --timeout=0 $(ARGS)

# Installs again only when what is locked has changed. Notes go to stderr: stdout belongs to the command.
.venv/runtime.stamp: requirements.lock pyproject.toml | python
	@$(call install,requirements.lock)
	@touch $@

.venv/dev.stamp: requirements-dev.lock requirements.lock pyproject.toml | python
	@$(call install,requirements-dev.lock)
	@touch $@ .venv/runtime.stamp

define install
echo "installing what $(1) names into .venv (once; a minute or so) …" >&2; \
test -x $(BIN)/python || $(PYTHON) -m venv .venv >/dev/null 2>&1 || \
  { rm -rf .venv; echo "make: $(PYTHON) -m venv .venv failed; install the venv module (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }; \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(1) >&2 && \
$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . >&2
endef

python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "make: no $(PYTHON) found; install Python 3.11 to 3.13, or name it with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "make: $$($(PYTHON) --version 2>&1) found, 3.11 to 3.13 is needed; name another with PYTHON=…" >&2; exit 1; }

COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --build-deps-for editable --extra embedded

lock: .venv/dev.stamp
	$(COMPILE) $(ARGS) --output-file requirements.lock pyproject.toml
	$(COMPILE) $(ARGS) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

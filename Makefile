# Every target works from a fresh clone; what it needs it makes first. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
LOCKED := --require-hashes --no-deps --only-binary :all:

# One exact version in a CPU build: a range, or plain `torch`, may fetch gigabytes of CUDA.
# A machine with a GPU: make install TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"
TORCH_VERSION := 2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH ?=

# An LLM without a server: make run LLM=local, or NUTGRAF_LLM_GGUF=/path/model.gguf make run
LLM ?=
SMALL_LLM := $(VENV)/llm/smollm2-135m-instruct.gguf
GGUF := $(or $(NUTGRAF_LLM_GGUF),$(if $(LLM),$(SMALL_LLM)))
LLM_NEEDS := $(if $(GGUF),$(VENV)/.local $(if $(NUTGRAF_LLM_GGUF),,$(SMALL_LLM)))
ifneq ($(filter-out local,$(LLM)),)
$(error LLM takes `local`; an endpoint is set by NUTGRAF_LLM_BASE_URL and NUTGRAF_LLM_MODEL)
endif

# Tests run side by side in so many processes, each with a gigabyte or less; `make test WORKERS=0` runs them in one.
WORKERS ?= 2
SPREAD := -n $(WORKERS) --dist worksteal

ifneq ($(TORCH),)
.PHONY: $(VENV)/.torch
endif

.DEFAULT_GOAL := help
.PHONY: help install dev run test deep chromium coverage lint format types layers unused check readme lock clean image-proof

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## Make .venv with the nutgraf command in it
	@echo "Ready: $(BIN)/nutgraf"

dev: $(VENV)/.dev ## The same, with everything the checks and tests need

run: $(VENV)/.installed $(LLM_NEEDS) ## Index seeds/ (or NUTGRAF_CORPUS) and serve on http://127.0.0.1:8000; LLM=local adds a small LLM
ifneq ($(filter $(SMALL_LLM),$(GGUF)),)
	@echo "The LLM is SmolLM2-135M: very small. It shows that an LLM works, and writes worse answers than the documents' own sentences," >&2
	@echo "which are given wherever what it writes is not supported. A better one: NUTGRAF_LLM_GGUF=/path/model.gguf make run" >&2
endif
	@NUTGRAF_CORPUS="$${NUTGRAF_CORPUS-seeds}" $(if $(GGUF),NUTGRAF_LLM_GGUF="$(GGUF)") exec $(BIN)/nutgraf serve

test: dev chromium ## Run the tests on two cores, or on WORKERS=4 (minutes)
	@$(BIN)/python -m pytest $(SPREAD)

deep: dev chromium $(VENV)/llamaindex/.installed ## Run the same tests with long counts (by hand)
	@$(BIN)/python -m pytest -m "deep or not deep"

chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  echo "Installing Chromium for the tests of the page ..." >&2 && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "No Chromium: the tests of the page will be skipped. To run them: apt-get install chromium" >&2

coverage: dev ## Run the tests and show which branches none of them takes
	@$(BIN)/python -m pytest $(SPREAD) --cov --cov-report=term-missing:skip-covered

lint: dev ## Style: ruff check and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: dev ## Rewrite the code in the style
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

types: dev ## Types: mypy --strict
	@$(BIN)/mypy

layers: dev ## Who may import whom
	@$(BIN)/lint-imports

unused: dev ## Dependencies declared but not used, or the reverse
	@$(BIN)/deptry .

check: lint types layers unused test ## Everything before a commit

readme: dev ## Write the README's table of settings again
	@$(BIN)/python docs/fill_readme.py

lock: ## Pin every dependency by hash again (requirements/*.lock)
	@bash requirements/lock

image-proof: ## Run the Dockerfile's steps in a clean Debian root (root, debootstrap; minutes)
	@$(PYTHON) benchmarks/image_proof.py "$${ROOT:-/tmp/nutgraf-image}"

clean: ## Remove what the targets made, the index included
	@rm -rf $(VENV) .nutgraf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.torch: | $(BIN)/python
	@echo "Installing torch $(TORCH_VERSION) (CPU build, about 190 MB) ..." >&2
	@bash requirements/install-torch "$(BIN)/python" "$(TORCH_VERSION)" "$(TORCH_INDEX)" $(TORCH)
	@touch $@

$(VENV)/.installed: requirements/runtime.lock pyproject.toml $(VENV)/.torch
	@echo "Installing what Nutgraf runs on into $(VENV) ..." >&2
	@$(PIP) install $(LOCKED) -r requirements/runtime.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.local: requirements/local.lock $(VENV)/.installed
	@$(PIP) install $(LOCKED) -r requirements/local.lock
	@touch $@

# With what it brings along LlamaIndex is too large for the environment of every day (requirements/lock says more).
$(VENV)/llamaindex/.installed: requirements/llamaindex.lock | $(BIN)/python
	@echo "Installing LlamaIndex beside $(VENV) (about 250 MB) ..." >&2
	@$(BIN)/python -m venv "$(VENV)/llamaindex"
	@$(VENV)/llamaindex/bin/python -m pip --disable-pip-version-check --no-input -qq install $(LOCKED) -r requirements/llamaindex.lock
	@touch $@

$(SMALL_LLM): requirements/fetch_llm.py | $(BIN)/python
	@$(BIN)/python requirements/fetch_llm.py "$@"
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.installed
	@echo "Installing what the tests need into $(VENV) ..." >&2
	@$(PIP) install $(LOCKED) -r requirements/dev.lock
	@bash requirements/install-strace
	@touch $@

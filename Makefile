# Needs make and Python 3.11 or newer, nothing else. `make demo` first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin
INSTALLED = .venv/installed
# Where torch's CPU build is, if the package index has a CUDA build: see the README.
INDEX ?=
# Small networks: one thread per process is several times faster than two on two cores.
export OMP_NUM_THREADS = 1
export MKL_NUM_THREADS = 1

.PHONY: demo test lint tables docs gallery clean

demo: $(INSTALLED)
	$(BIN)/symscope demo --out runs/demo --resume
	@echo "Open $(CURDIR)/runs/demo/report.html in a browser."

test: $(INSTALLED)
	$(BIN)/python -m pytest -n 2

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy

tables: $(INSTALLED)
	$(BIN)/python -m symscope.studies.tables

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

gallery: $(INSTALLED)
	$(BIN)/python docs/making/gallery.py

clean:
	rm -rf .venv runs site .pytest_cache .ruff_cache .mypy_cache

$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "$(PYTHON) is older than Python 3.11; type make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		$(if $(INDEX),--extra-index-url $(INDEX)) -e ".[dev]"
	@touch $(INSTALLED)

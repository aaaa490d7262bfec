# Serendip. `make` alone lists the verbs.
# PYTHON chooses the interpreter that .venv is made with, PORT the port of `make serve`, T narrows `make test`.

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation
EXT := $(foreach kind,pyx pxd py h,$(wildcard ext/*.$(kind) ext/*/*.$(kind) ext/*/c/*.$(kind))) setup.py

.DEFAULT_GOAL := help
.PHONY: help serve test build lint asan bench bench-matching bench-parts bench-video bench-quick bench-compare profile soak million dashboards dashboards-preview lock clean
.DELETE_ON_ERROR:

help:  ## list the verbs
	@grep -E '^[a-z][a-z -]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

serve: .venv/.built  ## start the server on http://127.0.0.1:8080 (PORT=n chooses)
	@echo "Serendip: open http://127.0.0.1:$(or $(PORT),$(SERENDIP_SERVER__PORT),8080) (Ctrl-C stops it)"
	@exec $(BIN)/serendip serve $(if $(PORT),--port $(PORT))

test: .venv/.all .venv/.built  ## run every test (T=tests/server or T='-k word' narrows)
	@$(PYTHON) tests/support/needs.py
	$(BIN)/python -m pytest $(T)

build: .venv/.all .venv/.built  ## make .venv/ with all that serve, test and bench need

lint: .venv/.all .venv/.built  ## ruff, mypy --strict, stubtest, cython-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest --concise --ignore-disjoint-bases --ignore-missing-stub --ignore-unused-allowlist \
	    --allowlist tests/stubtest.allow $(subst /,.,$(patsubst %.pyi,%,$(wildcard ext/*/*.pyi)))
	PATH="$(BIN):$$PATH" cython-lint ext/

asan: .venv/.all .venv/.built  ## run the tests of ext under address and undefined-behaviour sanitizers
	@mkdir -p build/asan && find build/asan -name '*.py' -delete
	@git ls-files -zco --exclude-standard ext engine client server tests setup.py pyproject.toml \
	    | xargs -0 cp -p --parents -t build/asan
	cd build/asan && SERENDIP_BUILD=asan ../../$(BIN)/python setup.py -q build_ext --inplace
	cd build/asan && LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 PYTHONMALLOC=malloc \
	    ../../$(BIN)/python -m pytest tests/ext --timeout=600 $(T)

bench: .venv/.all .venv/.built  ## measure the server beside its peers; writes bench/results/ and the figures of the documents
	$(BIN)/python -m bench whole $(T)

bench-matching: .venv/.all .venv/.built  ## measure the matcher: speed, share of the optimum; writes its figures too
	$(BIN)/python -m bench matching

bench-parts: .venv/.all .venv/.built  ## measure the parts (pytest-benchmark)
	$(BIN)/python -m pytest bench --benchmark-enable --benchmark-only -o python_files='bench_*.py' $(T)

bench-video: .venv/.all .venv/.built  ## calls set up a second, the time to a first frame, peers a core (needs coturn)
	$(BIN)/python -m bench video $(T)

bench-quick bench-compare: .venv/.all .venv/.built  ## two minutes without peers; what got worse since the last committed results
	$(BIN)/python -m bench $(@:bench-%=%)

profile soak million: .venv/.all .venv/.built  ## a flame graph; churn for MINUTES=30; clients waiting (T='--clients 200000')
	$(BIN)/python -m bench $@ $(if $(MINUTES),--minutes $(MINUTES)) $(T)

dashboards: .venv/.all .venv/.built  ## make grafana/boards/ from the code
	$(BIN)/python -m grafana

dashboards-preview: .venv/.all .venv/.built  ## draw every panel from a live Prometheus into grafana/previews/
	$(BIN)/python -m bench preview

lock: | .venv/bin/python  ## pin every package with hashes after a change of pyproject.toml
	@$(BIN)/python -m pip install -q uv==0.13.9
	$(BIN)/uv pip compile -q $(UVFLAGS) --extra build pyproject.toml -o requirements/serve.lock
	$(BIN)/uv pip compile -q $(UVFLAGS) --extra dev --constraint requirements/serve.lock pyproject.toml -o requirements/all.lock
UVFLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean:  ## remove what was built (never var/, the data)
	rm -rf .venv build *.egg-info ext/*/*.so ext/*/*.html .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks tests/out
	@for pyx in ext/*/*.pyx; do rm -f "$${pyx%.pyx}.c"; done

ifneq ($(origin PYTHON),file)
ifneq ($(wildcard .venv/bin/python),)
ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifneq ($(shell $(PYTHON) -V),$(shell .venv/bin/python -V))
$(error .venv was made with $(shell .venv/bin/python -V), PYTHON is $(shell $(PYTHON) -V): make clean first)
endif
endif
endif
endif

# The environment. Each stamp stands for one finished step, so an interrupted run goes on where it stopped.
.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "missing: $(PYTHON). Get it: apt-get install python3-dev python3-venv"; exit 1; }
	@command -v gcc >/dev/null || { echo "missing: gcc. Get it: apt-get install gcc"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "missing: Python 3.11 or later. Choose one: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
	    || { echo "missing: Python.h. Get it: apt-get install python3-dev"; exit 1; }
	@echo "making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "missing: venv. Get it: apt-get install python3-venv"; exit 1; }

.venv/.serve: requirements/serve.lock | .venv/bin/python
	@echo "installing the packages that the server needs"
	@$(INSTALL) --require-hashes -r $<
	@touch $@

.venv/.all: requirements/all.lock .venv/.serve
	@echo "installing the packages that tests and benches need"
	@$(INSTALL) --require-hashes -r $<
	@touch $@

.venv/.built: .venv/.serve pyproject.toml server/version.py $(EXT)
	@echo "compiling ext/"
	@$(BIN)/python setup.py -q build_ext --inplace --parallel 2
	@$(INSTALL) -q --no-index -e .
	@touch $@

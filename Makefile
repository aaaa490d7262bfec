# Serendip. `make` alone lists the verbs.
# PYTHON chooses the interpreter that .venv is made with, PORT the port of `make serve`, PREFIX the folder of `make install`,
# T narrows the verbs that test.

PYTHON ?= python3
PREFIX ?= /opt/serendip
BIN := .venv/bin
HERE := $(abspath $(BIN))
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation
C := $(wildcard ext/*/c/*.h tests/c/*.[ch] tests/cluster/*.c)
PLAIN := $(wildcard engine/*.pxd engine/*/*.pxd server/*/*/*.pxd)
CYTHON := $(wildcard ext/*.p[yx][xd] ext/*/*.p[yx][xd]) $(PLAIN)
EXT := $(foreach kind,pyx pxd py h,$(wildcard ext/*.$(kind) ext/*/*.$(kind) ext/*/c/*.$(kind))) $(PLAIN) $(PLAIN:.pxd=.py) ext/compiled_module_switch.py ext/pxd_check.py setup.py
SAID := $(wildcard server/trust/screening/rules/*.toml server/trust/screening/*.py) $(wildcard server/http/words/locale/*.po*) $(wildcard server/http/pages/*.html server/trust/console/templates/*.html) $(addprefix server/http/words/,compiled_catalogues.py po_files.py language_data.py templates.py)

# A test run starts hundreds of processes; where the environment forbids compiled files, each would compile our modules again.
export PYTHONDONTWRITEBYTECODE :=
# Debian has what cuts networks (tc) where only an administrator's shell looks.
export PATH := $(PATH):/usr/sbin:/sbin

.DEFAULT_GOAL := help
.PHONY: help serve install client test test-all test-rest plain pictures quick build lint types style words fmt debug asan asan-quick cover fuzz histories annotate bench bench-matching bench-parts bench-video bench-attacks bench-quick bench-compare profile soak faults million dashboards dashboards-preview lock dist audit release site clean
.DELETE_ON_ERROR:

help:  ## list the verbs
	@grep -E '^[a-z][a-z -]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

serve: .venv/.built  ## start the server on http://127.0.0.1:8080 (PORT=n chooses)
	@echo "Serendip: open http://127.0.0.1:$(or $(PORT),$(SERENDIP_SERVER__PORT),8080) (Ctrl-C stops it)"
	@exec $(BIN)/serendip serve $(if $(PORT),--port $(PORT))

install: build/tools/.locked  ## install what a server runs on, and no more, into a folder of its own (PREFIX=/opt/serendip; MODERATION=1: with what looks at pictures)
	@test ! -e $(PREFIX) -o -e $(PREFIX)/pyvenv.cfg -o -z "$$(ls -A $(PREFIX) 2>/dev/null)" \
	    || { echo "$(PREFIX) holds something else. Choose a folder of its own: make install PREFIX=/opt/serendip"; exit 1; }
	@echo "compiling ext/ and engine/ into a wheel"
	@mkdir -p build/wheel && find build/wheel -type f ! -name '*$(SUFFIX)' -delete
	@mkdir -p build/wheel/$(LIB) && find ext engine server -name '*$(SUFFIX)' -exec cp -pu --parents -t build/wheel/$(LIB) {} +  # newer than its source: not made again
	@build/tools/bin/python setup.py -q build --build-base build/wheel --parallel 2 bdist_wheel --dist-dir build/wheel \
	    >build/tools/log 2>&1 || { tail -40 build/tools/log; exit 1; }
	@echo "installing into $(PREFIX)"
	@test -x $(PREFIX)/bin/python || $(PYTHON) -m venv --without-pip $(PREFIX)
	@$(INTO) --require-hashes -r requirements/$(if $(MODERATION),moderation,serve).lock
	@$(INTO) --no-index --force-reinstall build/wheel/serendip-*.whl
	@cd $(PREFIX) && ln -sfn lib/python*/site-packages/server/ops/manual/shipped manual  # docs/operate/, deploy/, grafana/alerts.yml
	@$(PREFIX)/bin/serendip --version
# Modules of this interpreter: another may have compiled its own beside them.
SUFFIX = $(shell build/tools/bin/python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
LIB = $(shell build/tools/bin/python -c 'import sys, sysconfig; print(f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}")')
INTO = build/tools/bin/python -m pip --python $(PREFIX)/bin/python install -q --disable-pip-version-check --no-deps

client: .venv/.all .venv/.built  ## make the generated files of the JavaScript client again, after a change of it or of the protocol (needs npm)
	@$(BIN)/python -m server.site.front.client_files
	@cd client/js && npm ci --silent --no-audit --no-fund && npm run --silent build

test: .venv/.all .venv/.built  ## each capability once, end to end: some five minutes (T=tests/server or T='-k word' narrows)
	@$(PYTHON) tests/support/needs.py
	$(BIN)/python -m pytest -n 6 --durations=10 -m 'not thorough' $(T)

test-all: .venv/.all .venv/.built  ## every test: every state of the page, every cut, every database, hosts, benches (T narrows)
	@$(PYTHON) tests/support/needs.py
	$(BIN)/python -m pytest -n 6 --durations=10 $(T)

test-rest: .venv/.all .venv/.built  ## what `make test` leaves to `make test-all`
	@$(PYTHON) tests/support/needs.py
	$(BIN)/python -m pytest -n 6 --durations=10 -m thorough $(T)

plain: .venv/.all .venv/.built  ## run the tests of the hot modules over their source, which `make test` runs as they are compiled
	@$(PYTHON) tests/support/needs.py
	SERENDIP_PLAIN=1 $(BIN)/python -m pytest -n 2 $(or $(T),tests/engine tests/server/realtime/worker tests/server/data/store/test_writer.py)

pictures: .venv/.all .venv/.built  ## the tests of the page, which leave a picture of each of its states in tests/out/ (T=tests/server/site/web/test_gallery.py narrows)
	@$(PYTHON) tests/support/needs.py
	PICTURES=1 $(BIN)/python -m pytest -n 4 $(or $(T),tests/server/site/web tests/server/realtime/video/page)

quick: lint  ## lint, and the tests that start no browser, no server and no database
	$(BIN)/python -m pytest -n 3 --durations=10 -m 'not outside' $(T)

build: .venv/.all .venv/.built  ## make .venv/ with all that serve, test and bench need

lint: .venv/.all .venv/.built  ## ruff, mypy --strict, stubtest, cython-lint, clang-format, gcc -Wall -Wextra
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2 -O) build/lint/cython build/lint/c types style

types: .venv/.all .venv/.built
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest --concise --ignore-disjoint-bases --ignore-missing-stub --ignore-unused-allowlist \
	    --allowlist tests/stubtest.allow $(subst /,.,$(patsubst %.pyi,%,$(wildcard ext/*/*.pyi)))

style: .venv/.all .venv/.built
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(C) tests/fuzz/host.c

# What passed and was not changed since passes, as with mypy's own cache; what failed leaves no stamp.
build/lint/cython: $(CYTHON) pyproject.toml .venv/.all
	PATH="$(BIN):$$PATH" cython-lint $(if $(filter-out $(CYTHON),$?),$(CYTHON),$?)
	@mkdir -p $(@D) && touch $@

build/lint/c: $(C)
	gcc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I ext/match -x c $(filter-out %-inl.h,$(C))
	@mkdir -p $(@D) && touch $@

words: .venv/.all  ## bring the catalogues (server/http/words/locale/) up to the sources, and say what is missing or wrong in a translation
	$(BIN)/python -m server.http.words

fmt: .venv/.all  ## format what lint looks at, and mend what can be mended by itself
	$(BIN)/ruff check -q --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C) tests/fuzz/host.c

debug: .venv/.all .venv/.built  ## run the tests of ext with every assertion in
	$(call apart,debug)
	cd build/debug && $(HERE)/python -m pytest tests/ext --timeout=600 $(T)

asan: .venv/.all .venv/.built  ## run the tests of ext, a real server among them, under address and undefined-behaviour sanitizers
	$(call apart,asan)
	cd build/asan && $(WATCHED) -m pytest tests/ext --timeout=600 $(T)

# What a stranger's bytes run through, and the server whole: without the tests of millions of tickets, and those that compile C themselves.
asan-quick: .venv/.all .venv/.built  ## the part of asan that decides what lands: its build and two minutes of tests at the most
	$(call apart,asan)
	cd build/asan && $(WATCHED) -m pytest tests/ext tests/support/test_fuzzing.py --timeout=300 -n 2 -q $(MASS:%=--ignore=tests/ext/%) $(T)
MASS := match/test_matcher_load.py match/test_matcher_held.py match/test_pairing.py net/test_nogil.py
WATCHED := env $$($(HERE)/python -m tests.c.build) $(HERE)/python

# A thread ends what takes too long: where lines are followed, Python 3.11 can go round for ever as a greenlet's thread dies, and no handler of a signal ends that.
cover: .venv/.all .venv/.built  ## run every test and print what they cover, which may not fall (tests/coverage.json)
	@$(PYTHON) tests/support/needs.py
	$(call apart,cover)
	@rm -f build/$@/.coverage*
	cd build/$@ && $(HERE)/coverage run --source=ext -m pytest tests/ext -n 2 --timeout=600
	cd build/$@ && $(HERE)/coverage combine -q && $(HERE)/coverage json -q -o ext.json
	SERENDIP_PLAIN=1 $(COVERED) run --source=engine,server,client/serendip_client -m pytest -n 3 --timeout=300 --timeout-method=thread
	$(COVERED) combine -q && $(COVERED) json -q -o build/$@/python.json
	@$(BIN)/python tests/support/covered.py build/$@/ext.json build/$@/python.json $(T)
COVERED := COVERAGE_RCFILE=$(CURDIR)/tests/coverage.ini COVERAGE_FILE=$(CURDIR)/build/cover/python.data $(BIN)/coverage

fuzz: .venv/.all .venv/.built  ## search all parsers and structures for faults and for costly inputs, on all cores, for HOURS=n or MINUTES=10 (T='NAME --only cost'; T=--document writes the table)
	$(call copied,fuzz)
	cd build/fuzz && $(HERE)/python -m tests.fuzz.campaign --out $(CURDIR)/tests/out/fuzz --page $(CURDIR)/docs/operate/security.md \
	    $(if $(HOURS),--hours $(HOURS)) $(if $(MINUTES),--minutes $(MINUTES)) $(T)

histories: .venv/.all .venv/.built  ## run N=1000000 random histories of two hosts over a hostile network, on all cores, and print what happened (T='--log FILE' goes on behind what is in it)
	$(BIN)/python -m tests.server.fleet.histories.run $(or $(N),10000) $(T)

annotate: .venv/.serve  ## draw which lines of ext enter Python, into build/annotate/
	$(call copied,annotate)
	@cd build/$@ && SERENDIP_ANNOTATE=1 $(HERE)/python setup.py -q build_ext >/dev/null
	@ls build/$@/ext/*/*.html

# A tree of its own for a build of another kind, SERENDIP_BUILD=debug, asan or cover: the modules in ext/ stay as they are.
define copied
@mkdir -p build/$(1) && find build/$(1) -name '*.py' -delete
@git ls-files -zco --exclude-standard ext engine client server bench tests setup.py pyproject.toml README.md LICENSE \
    | xargs -0 cp -p --parents -t build/$(1)
endef
define apart
$(call copied,$(1))
cd build/$(1) && SERENDIP_BUILD=$(1) $(HERE)/python setup.py -q build_ext --inplace --parallel 2
endef

bench: .venv/.all .venv/.built  ## measure the server beside its peers; writes bench/results/ and the figures of the documents
	$(BIN)/python -m bench whole $(T)

bench-matching: .venv/.all .venv/.built  ## measure the matcher: speed, share of the optimum; writes its figures too
	$(BIN)/python -m bench matching

bench-parts: .venv/.all .venv/.built  ## measure the parts (pytest-benchmark)
	$(BIN)/python -m pytest bench --benchmark-enable --benchmark-only -o python_files='bench_*.py' $(T)

bench-video: .venv/.all .venv/.built  ## calls set up a second, the time to a first frame, peers a core (needs coturn)
	$(BIN)/python -m bench video $(T)

bench-attacks: .venv/.all .venv/.built  ## what others feel of each attack, and a verdict, ten minutes (T='--only NAME --seconds N')
	$(BIN)/python -m bench attacks $(T)

bench-quick bench-compare: .venv/.all .venv/.built  ## two minutes without peers; fails, by name, on what got worse
	$(BIN)/python -m bench $(@:bench-%=%)

profile soak faults million: .venv/.all .venv/.built  ## a flame graph; churn for MINUTES=30; three hosts under faults for MINUTES=60, as root; clients waiting (T='--clients 200000')
	$(BIN)/python -m bench $@ $(if $(MINUTES),--minutes $(MINUTES)) $(T)

dashboards: .venv/.all .venv/.built  ## make grafana/boards/ from the code
	$(BIN)/python -m grafana

dashboards-preview: .venv/.all .venv/.built  ## draw every panel from a live Prometheus into grafana/previews/
	$(BIN)/python -m bench preview

dist: build/tools/.locked .venv/.all  ## build what is published into build/dist/: sdist and wheel of server and client, the npm package, the bill of materials, and their checksums (DIST=folder)
	@rm -rf $(DIST) build/dist-tree && mkdir -p $(DIST) build/dist-tree/build/$(LIB)
	@build/tools/bin/python setup.py -q sdist --dist-dir $(DIST)
	@echo "compiling ext/ and engine/ into a wheel, from the sdist"
	@tar xf $(DIST)/serendip-*.tar.gz -C build/dist-tree --strip-components=1
	@find ext engine server -name '*.c' -exec cp -p --parents -t build/dist-tree {} +  # newer than its source: not made again
	@find ext engine server -name "*$(SUFFIX)" -exec cp -p --parents -t build/dist-tree/build/$(LIB) {} +
	@cd build/dist-tree && ../tools/bin/python setup.py -q build --parallel 2 bdist_wheel --dist-dir $(DIST) >../dist.log 2>&1 || { tail -40 ../dist.log; exit 1; }
	@cd client && ../build/tools/bin/python -c 'from setuptools import setup; setup()' -q sdist --dist-dir $(DIST)
	@build/tools/bin/python -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -w $(DIST) $(DIST)/serendip_client-*.tar.gz
	@if command -v npm >/dev/null; then cd client/js && npm pack --silent --pack-destination $(DIST) >/dev/null; else echo "no npm here: its package is left out"; fi
	@PYTHONPATH=. $(BIN)/python .ci/sbom.py $(DIST)
	@cd $(DIST) && sha256sum -- * >SHA256SUMS && cat SHA256SUMS
DIST = $(CURDIR)/build/dist

audit: build/audit-tools/.locked  ## compare the locked packages with published advisories (T='-s osv' asks OSV; UNREACHABLE=ok: status 0 though none can be asked)
	@$(PYTHON) .ci/audit.py $(if $(filter ok,$(UNREACHABLE)),--unreachable-ok) $(T)

release:  ## check that this commit is fit to be VERSION=0.3.0 (changes, upgrade notes, version in every file), and make its annotated tag (DRY=1: check alone)
	@$(PYTHON) .ci/release.py "$(VERSION)" $(if $(DRY),--dry)

site: build/site-tools/.locked  ## write the documents as a site into build/site/, static files for any web server (SITE=folder; SITE_SERVER=https://chat.example: the server to try)
	@NO_MKDOCS_2_WARNING=1 build/site-tools/bin/mkdocs build -q --strict -f site/mkdocs.yml -d $(abspath $(or $(SITE),build/site))

lock: | .venv/bin/python  ## pin every package with hashes after a change of pyproject.toml
	@$(BIN)/python -m pip install -q uv==0.13.9
	$(BIN)/uv pip compile -q $(UVFLAGS) --extra postgres pyproject.toml -o requirements/serve.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	    | $(BIN)/uv pip compile -q $(UVFLAGS) - -o requirements/build.lock
	$(BIN)/uv pip compile -q $(UVFLAGS) --extra dev --constraint requirements/serve.lock --constraint requirements/build.lock \
	    pyproject.toml -o requirements/all.lock
	$(BIN)/uv pip compile -q $(UVFLAGS) --extra postgres --extra moderation --constraint requirements/all.lock pyproject.toml -o requirements/moderation.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["site"], sep="\n")' \
	    | $(BIN)/uv pip compile -q $(UVFLAGS) - -o requirements/site.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["audit"], sep="\n")' \
	    | $(BIN)/uv pip compile -q $(UVFLAGS) - -o requirements/audit.lock
UVFLAGS := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

clean:  ## remove what was built (never var/, the data)
	rm -rf .venv build *.egg-info ext/*/*.so ext/*/*.html $(PLAIN:.pxd=.c) $(PLAIN:.pxd=.*.so) server/http/words/locale/compiled.json server/http/pages/compiled.bin server/trust/console/templates/compiled.bin server/trust/screening/rules/*.bin .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks tests/out
	@for pyx in ext/*/*.pyx; do rm -f "$${pyx%.pyx}.c"; done; rm -f ext/base/cython_utilities.c

ifneq ($(origin PYTHON),file)
ifneq ($(wildcard .venv/bin/python),)
ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifneq ($(shell $(PYTHON) -V),$(shell .venv/bin/python -V))
$(error .venv was made with $(shell .venv/bin/python -V), PYTHON is $(shell $(PYTHON) -V): make clean first)
endif
endif
endif
endif

# The environments: .venv/ to work in, build/tools/ to make a wheel with. Each stamp stands for one finished step, so an interrupted run
# goes on where it stopped.
define needed
	@command -v $(PYTHON) >/dev/null || { echo "missing: $(PYTHON). Get it: apt-get install python3-dev python3-venv"; exit 1; }
	@command -v gcc >/dev/null || { echo "missing: gcc. Get it: apt-get install gcc"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "missing: Python 3.11 or later. Choose one: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
	    || { echo "missing: Python.h. Get it: apt-get install python3-dev"; exit 1; }
endef

.venv/bin/python:
	$(needed)
	@echo "making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "missing: venv. Get it: apt-get install python3-venv"; exit 1; }

build/site-tools/.locked build/audit-tools/.locked: build/%-tools/.locked: requirements/%.lock
	$(needed)
	@rm -rf $(@D)
	@$(PYTHON) -m venv $(@D) || { rm -rf $(@D); echo "missing: venv. Get it: apt-get install python3-venv"; exit 1; }
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

build/tools/.locked: requirements/build.lock
	$(needed)
	@rm -rf build/tools build/wheel
	@$(PYTHON) -m venv build/tools || { rm -rf build/tools; echo "missing: venv. Get it: apt-get install python3-venv"; exit 1; }
	@build/tools/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r $<
	@find build/tools -name '*.pxd' -exec touch -r $< {} +  # what ext/ was compiled with before is as good: not newer than its lock
	@touch $@

.venv/.serve: requirements/build.lock requirements/serve.lock | .venv/bin/python
	@echo "installing the packages that the server needs"
	@$(INSTALL) --require-hashes -r requirements/build.lock
	@$(INSTALL) --require-hashes -r requirements/serve.lock
	@touch $@

.venv/.all: requirements/all.lock .venv/.serve
	@echo "installing the packages that tests and benches need"
	@$(INSTALL) --require-hashes -r $<
	@touch $@

.venv/.built: .venv/.serve pyproject.toml client/pyproject.toml server/ops/version.py $(EXT) $(SAID)
	@echo "compiling ext/, engine/, the catalogues and the templates"
	@$(BIN)/python setup.py -q build_ext --inplace --parallel 2
	@$(INSTALL) -q --no-index -e . -e ./client
	@touch $@

# The whole way for a newcomer: `make demo`, `make test`, `make serve`. Nothing else is needed than
# Python 3.11 or later, git, make and a package index. `make help` lists the targets.

PYTHON ?=
export PYTHON

BIN := .venv/bin
MAKE_ENVIRONMENT := requirements/make-environment.sh
RUN := .venv/.run-installed
DEV := .venv/.dev-installed
PEERS := .venv-peers/.installed
NEXT := .venv-next/.installed
PLUGINS := .venv-plugins/.installed
LOCK := .venv-lock/.installed
COMPILE := .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --only-binary :all: --no-header --no-emit-index-url --no-emit-find-links

# The tests that start a Datasette, with the release in `.venv` and with the one to come.
PAGE_TESTS := $(wildcard tests/test_web_*.py tests/test_publish*.py tests/test_datasette_*.py) \
	tests/test_index_schema.py tests/test_memento_service.py

.DELETE_ON_ERROR:
.PHONY: help demo test serve lint docs docs-check long test-next lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(RUN) ## fetch, index, verify and cite a bundled small web, then end
	$(BIN)/provenance demo

test: $(DEV) $(PEERS) ## run the tests (but those marked long, which CI runs)
	$(BIN)/python -m pytest -m "not long" -n auto --dist loadfile

serve: $(RUN) ## serve the demo's archive at a printed address (run make demo first)
	@test -d demo-archive || { echo "error: no demo archive here; run make demo first." >&2; exit 1; }
	$(BIN)/provenance -C demo-archive serve

lint: $(DEV) ## check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(DEV) ## write the pages that are made from the code
	$(BIN)/python docs/build_docs.py

docs-check: $(DEV) ## fail when a page made from the code is not as committed
	$(BIN)/python docs/build_docs.py --check

long: $(DEV) $(PEERS) $(PLUGINS) ## run the long tests
	$(BIN)/python -m pytest -m long

test-next: $(NEXT) $(PLUGINS) $(PEERS) ## run the tests of the pages on the Datasette to come
	.venv-next/bin/python -m pytest -m "not long or plugins" -n auto --dist loadfile $(PAGE_TESTS)

lock: $(LOCK) ## resolve the locks anew, within what pyproject.toml and requirements/*.in allow
	$(COMPILE) pyproject.toml requirements/build.in -o requirements/run.txt
	$(COMPILE) requirements/dev.in -c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) --no-emit-package brotlipy --no-emit-package surt --no-emit-package brotli \
		--no-binary surt requirements/peers.in -o requirements/peers.txt
	$(COMPILE) --no-deps --no-binary surt requirements/peers-source.in -o requirements/peers-source.txt
	$(COMPILE) --no-emit-package brotli --no-binary surt benchmarks/peers.in -o benchmarks/peers.txt
	sed -n '/^datasette==/d; s/ \\$$//; /^[a-z].*==/p' requirements/run.txt > .venv-lock/but-datasette.txt
	$(COMPILE) --no-annotate requirements/datasette-next.in -c .venv-lock/but-datasette.txt \
		-o requirements/datasette-next.txt
	$(COMPILE) requirements/datasette-plugins.in -c requirements/run.txt -o requirements/datasette-plugins.txt
	$(COMPILE) requirements/lock.in -o requirements/lock.txt

clean: ## remove the environments, the demo's archive and every cache
	rm -rf .venv .venv-next .venv-plugins .venv-peers .venv-lock .venv-wheel benchmarks/.peers demo-archive dist build
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The project goes on top of its lock without fetching anything more: the build backend is locked.
$(RUN): requirements/run.txt pyproject.toml
	$(MAKE_ENVIRONMENT) .venv requirements/run.txt
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-index --no-deps \
		--no-build-isolation --editable .
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	$(MAKE_ENVIRONMENT) .venv requirements/dev.txt
	@touch $@

# The environment of the tests once more, with what the Datasette to come needs otherwise over it.
$(NEXT): requirements/run.txt requirements/dev.txt requirements/datasette-next.txt pyproject.toml
	$(MAKE_ENVIRONMENT) .venv-next requirements/run.txt requirements/dev.txt requirements/datasette-next.txt
	.venv-next/bin/python -m pip --disable-pip-version-check install --quiet --no-index --no-deps \
		--no-build-isolation --editable .
	.venv-next/bin/python -m pip check
	@touch $@

# Other people's plugins, apart; the tests lend them to the Datasette of either environment.
$(PLUGINS): requirements/datasette-plugins.txt
	$(MAKE_ENVIRONMENT) .venv-plugins requirements/datasette-plugins.txt
	@touch $@

$(PEERS): requirements/peers.txt requirements/peers-source.txt
	$(MAKE_ENVIRONMENT) .venv-peers requirements/peers.txt requirements/peers-source.txt
	@touch $@

$(LOCK): requirements/lock.txt
	$(MAKE_ENVIRONMENT) .venv-lock requirements/lock.txt
	@touch $@

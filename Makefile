# A new machine needs Python 3.11 or later, git and make. Everything else comes into .venv, exactly as requirements.lock
# says, and again only when that file changes. PYTHON=/path/to/python3 chooses the interpreter.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/requirements.lock
PYTHON ?=

.PHONY: help demo up test soak recovery world lint bench docs pictures clean

help:
	@echo 'make demo   one order-to-cash round against the sandbox, through a Prefect server and worker'
	@echo 'make up     the same, left running and trading until Ctrl-C; prints the address of the Prefect UI'
	@echo 'make test   all tests'
	@echo 'make soak   1,000 random schedules of kills and faults for orders, and as many for parcels: about an hour'
	@echo 'make recovery  a killed run, a killed worker, and a Prefect server that is away for two minutes'
	@echo 'make world  10,000 generated orders through both stand-ins over HTTP: about ten minutes'
	@echo 'make lint   style, types and import contracts'
	@echo 'make bench  the benchmarks, one after the other'
	@echo 'make docs   the handbook as a site in var/site, to be opened from the files themselves'
	@echo 'make pictures  the pictures of the handbook anew, from a real Prefect UI (needs Chromium)'
	@echo 'make clean  removes .venv, caches, var/demo and var/up; a ledger or warehouse elsewhere in var/ stays'

demo: $(STAMP)
	@$(BIN)/python -m sandbox.demo

up: $(STAMP)
	@$(BIN)/python -m sandbox.demo up

test: $(STAMP)
	$(BIN)/python -m pytest -n auto --dist loadfile

# SCHEDULES=100 plays fewer, ONLY=parcels or ONLY=orders one kind, WORKERS=8 uses more cores. A schedule that fails is told
# with its steps and where the runs' output is; it is played again, alone, with:
# .venv/bin/python -m pytest tests/stateful --schedule SEED
soak: $(STAMP)
	$(BIN)/python -m pytest tests/stateful$(ONLY:%=/test_%_exactly_once.py) --schedules $(or $(SCHEDULES),1000) \
		-n $(or $(WORKERS),4) -o tmp_path_retention_policy=failed

# AWAY=600 leaves the server away for longer than a run waits for it.
recovery: $(STAMP)
	$(BIN)/python -m pytest tests/recovery --server-away $(or $(AWAY),120)

# ORDERS=1000 makes a smaller world.
world: $(STAMP)
	$(BIN)/python -m pytest tests/flows/test_order_world.py --world-orders $(or $(ORDERS),10000) --timeout 7200

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	@set -e; found=; for file in benchmarks/bench_*.py; do \
		[ -e "$$file" ] || continue; found=yes; echo "== $$file"; $(BIN)/python "$$file"; \
	done; [ -n "$$found" ] || echo 'benchmarks/ holds no bench_*.py yet'

docs: $(STAMP)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo 'open var/site/index.html'

pictures: $(STAMP)
	$(BIN)/python -m sandbox.pictures

# The stamp is a copy of the lock file, so a checkout that only touches the file costs nothing. Packages are compiled in
# one go afterwards, on all cores: without bytecode `import prefect` takes twice as long in every flow run.
$(STAMP): requirements.lock
	@if cmp -s requirements.lock $@ && $(BIN)/python -c '' 2>/dev/null; then touch $@; exit 0; fi; \
	set -e; \
	for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or later is needed; found: $$(python3 --version 2>&1 || echo none)." >&2; \
		echo 'Install it, or name it: make PYTHON=/path/to/python3.11 demo' >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version) from requirements.lock; this takes about a minute."; \
	rm -f $@; \
	$$python -m venv --clear $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
		--require-hashes --no-deps -r requirements.lock; \
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true; \
	$(BIN)/python -c 'import pathlib, sysconfig; \
		pathlib.Path(sysconfig.get_path("purelib"), "magento-prima.pth").write_text(str(pathlib.Path.cwd()) + "\n")'; \
	printf '#!/bin/sh\nexec "%s" -P -c "import sys; sys.argv[0] = \047magento-prima\047; %s" "$$@"\n' \
		"$$(pwd)/$(BIN)/python" 'from flows.cli import main; main()' > $(BIN)/magento-prima; \
	chmod +x $(BIN)/magento-prima; \
	cp requirements.lock $@

clean:
	rm -rf $(VENV) var/demo var/up var/demo.lock var/up.lock .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# make demo    the site with sandboxed vendors at http://localhost:8000 (PORT=… FRESH=1)
# make serve   the site as an operator runs it, configured by the environment
# make test    sets up, then runs the tests (ARGS="-k sharespine"), with PostgreSQL here those on it first
# make test-postgres    only those, on a PostgreSQL that is started for it and thrown away
# make bench   a slow vendor with 300 merchants in its flow, and everybody else's pages (ratios)
# make faults  writes docs/faults.md from what a run of tests/faults/test_faults.py sees
# make test-fast   the tests without browser and pages, on all cores (ARGS="-k sharespine")
# make lint    formatting, spelling, types, templates, import rules; needs no network
# make lock    compiles requirements*.in (needs uv)

PY := .venv/bin/python
ARGS ?=

.PHONY: setup setup-dev demo serve test test-postgres test-fast bench faults lint format lock

setup:
	@bin/setup requirements.txt

setup-dev:
	@bin/setup requirements-dev.txt

demo: setup
	@exec $(PY) bin/serve.py --demo

serve: setup
	@exec $(PY) bin/serve.py

test: test-postgres
	@$(PY) -m pytest $(ARGS)

test-postgres: setup-dev
	@$(PY) -m tests.support.postgres $(ARGS)

test-fast: setup-dev
	@$(PY) -m pytest -q -n auto tests/unit tests/vendors $(ARGS)

bench: setup-dev
	@$(PY) -m tests.bench.slow_vendor $(ARGS)

faults: setup-dev
	@FAULTS=write $(PY) -m pytest tests/faults/test_faults.py $(ARGS)

lint: setup-dev
	.venv/bin/pre-commit run --all-files
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check

format: setup-dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djlint --reformat --quiet templates

lock:
	uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11 requirements-dev.in -o requirements-dev.txt

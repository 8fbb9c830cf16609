# make demo    the site with sandboxed vendors at http://localhost:8000 (PORT=… FRESH=1)
# make serve   the site as an operator runs it, configured by the environment
# make test    sets up, then runs all tests (ARGS="-k sharespine") in two workers (JOBS=2): first those on PostgreSQL,
#              if it is here, then those in a browser, then those that kill processes, then all others
# make test-fast        the tests of tests/unit and tests/vendors that start no process: under a minute
# make test-postgres    only those on a PostgreSQL that is started for it and thrown away
# make bench   a slow vendor with 300 merchants in its flow, and everybody else's pages (ratios)
# make bench-engine   checks a second and what each costs, with 1 to 8 workers on PostgreSQL (15 minutes;
#              ARGS="--tree ../before ." measures another checkout, too; ARGS="--help" says more)
# make simulate-mails   a month of 1,000 merchants: which mails they get, and that nobody gets too many (ARGS="--days 10")
# make hosts   two web hosts and two worker hosts on one PostgreSQL, each killed, stopped, cut off and with a wrong
#              clock in turn; as root, 20 minutes (ARGS="--only worker-1 --trouble killed")
# make faults  writes docs/faults.md from what a run of tests/faults/test_faults.py sees
# make words   prints every sentence that people read, by reader and with its place, in all languages (ARGS="key secret")
# make messages   brings the catalogues of translations up to date with the sentences in code and templates, and
#              compiles them; needs GNU gettext
# make lint    formatting, spelling, types, weaknesses, templates, import rules; needs no network
# make shots   every page and state, wide and narrow, light and dark, on one contact sheet: screenshots/index.html
# make scan    Wapiti against a running site, as a visitor, a merchant and staff (some minutes)
# make sbom    writes sbom.json, the list of all libraries that the site runs with (CycloneDX)
# make lock    compiles requirements*.in (needs uv)

PY := .venv/bin/python
ARGS ?=
JOBS ?= 2
# A file stays in one worker: it shares its site or sandboxes, and docs/faults.md is compared as a whole.
WORKERS = -n $(JOBS) --dist loadfile
APART = browser or kills
# Browsers mostly wait for pages, and kills for leases: two of a kind share the machine.
# pytest ends with this status when ARGS choose no test.
NO_TESTS = 5

.PHONY: setup setup-dev setup-scan demo serve test test-fast test-postgres bench bench-engine simulate-mails hosts faults words messages shots lint scan sbom format lock

setup:
	@bin/setup requirements.txt

setup-dev:
	@bin/setup requirements-dev.txt

# Wapiti needs older versions of libraries that we use, so it has an environment of its own.
setup-scan:
	@VENV=.venv-scan bin/setup requirements-scan.txt

demo: setup
	@exec $(PY) bin/serve.py --demo

serve: setup
	@exec $(PY) bin/serve.py

test: test-postgres
	@$(PY) -m pytest -m "browser" $(WORKERS) $(ARGS); browser=$$?; \
	test $$browser = 0 || test $$browser = $(NO_TESTS) || exit $$browser; \
	$(PY) -m pytest -m "kills and not browser" $(WORKERS) $(ARGS); kills=$$?; \
	test $$kills = 0 || test $$kills = $(NO_TESTS) || exit $$kills; \
	$(PY) -m pytest -m "not ($(APART))" $(WORKERS) $(ARGS); others=$$?; \
	test $$others = $(NO_TESTS) && test $$kills = $(NO_TESTS) && exit $$browser; \
	test $$others = $(NO_TESTS) && exit $$kills; exit $$others

test-fast: setup-dev
	@$(PY) -m pytest -m "not process" -n $(JOBS) $(ARGS) tests/unit tests/vendors

test-postgres: setup-dev
	@$(PY) -m tests.support.postgres $(WORKERS) $(ARGS)

bench: setup-dev
	@$(PY) -m tests.bench.slow_vendor $(ARGS)

bench-engine: setup-dev
	@$(PY) -m tests.bench.engine $(ARGS)

simulate-mails: setup-dev
	@$(PY) -m tests.bench.mails $(ARGS)

hosts: setup-dev
	@$(PY) -m tests.hosts.run $(ARGS)

faults: setup-dev
	@FAULTS=write $(PY) -m pytest tests/faults/test_faults.py $(ARGS)

shots: setup-dev
	@$(PY) -m tests.shots.take $(ARGS)

words: setup-dev
	@$(PY) -m tests.support.words $(ARGS)

messages: setup-dev
	@$(PY) -m tests.support.messages

lint: setup-dev
	.venv/bin/pre-commit run --all-files
	$(PY) -m mypy
	.venv/bin/bandit --quiet --configfile pyproject.toml --recursive onboarding vendors bin gunicorn.conf.py manage.py
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check

scan: setup-dev setup-scan
	@$(PY) -m tests.security.scan .venv-scan/bin/wapiti $(ARGS)

sbom: setup-scan
	@.venv-scan/bin/cyclonedx-py requirements requirements.txt --short-PURLs --output-reproducible --output-file sbom.json

format: setup-dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djlint --reformat --quiet templates

lock:
	uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	uv pip compile --quiet --generate-hashes --universal --no-header --python-version 3.11 requirements-scan.in -o requirements-scan.txt

.PHONY: help run link test lint bench chaos migrations clean

help:
	@echo "make run         serve the chat on 127.0.0.1:8000 and print a sign-in link"
	@echo "make link        print a new sign-in link for the first administrator"
	@echo "make test        every test, on SQLite and, where they run, on PostgreSQL and Redis"
	@echo "make lint        style, types, import rules"
	@echo "make bench       the benchmarks"
	@echo "make chaos       faults under load: what is promised, and what is kept"
	@echo "make migrations  write migrations for changed models"
	@echo "make clean       remove .venv and what tools left behind; your data in var/ stays"

run: .venv/installed
	@.venv/bin/python manage.py prepare
	@exec .venv/bin/python manage.py serve

link: .venv/installed
	@.venv/bin/python manage.py signinlink

test: .venv/installed-dev
	@scripts/test

lint: .venv/installed-dev
	@scripts/lint

bench: .venv/installed-dev
	@.venv/bin/python -m bench --only "$(ONLY)"

chaos: .venv/installed-dev
	@.venv/bin/python -m chaos --only "$(ONLY)"

migrations: .venv/installed
	@.venv/bin/python manage.py makemigrations

clean:
	rm -rf tkr_chat/tests/a2a/js/node_modules .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis var/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last, so an installation that was cut off is taken up again.
.venv/installed: requirements.txt constraints.txt requirements-llm.txt
	@scripts/install

.venv/installed-dev: .venv/installed requirements-dev.txt tkr_chat/tests/a2a/js/package-lock.json
	@scripts/install dev

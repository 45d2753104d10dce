# The whole of it; CI runs `make test`.
.DEFAULT_GOAL := all
.PHONY: all setup install test demo docs bench simulate check format clean help

all: setup build/build.ninja  ## Build build/torvyn and the components
	@cmake --build --preset release

setup:  ## Install what building and testing need (Debian 12)
	@tools/setup

# Ninja configures again by itself when a CMake file changes, but not when a preset does.
build/build.ninja: CMakePresets.json | setup
	@cmake --preset release
	@touch $@

PREFIX ?= /usr/local
install: all  ## Install to PREFIX (/usr/local), below DESTDIR where that is set
	@DESTDIR="$(DESTDIR)" cmake --install build --prefix "$(PREFIX)"

test: all  ## Run every check and every test
	@tools/run-tests

docs: setup  ## Make the reference of the public headers, build/api/html
	@tools/api-reference

demo: all  ## See a pipeline run
	@tools/demo

bench: all  ## Measure, beside other frameworks too, and write docs/benchmarks: about ten minutes
	@bench/run --rounds 5 --scale 0.3
	@bench/graphs --rounds 5 --case bandwidth --case observed --case workers --case idle --case start
	@bench/languages
	@bench/report

simulate: setup build/build.ninja  ## Hold the reactor to its promises over ever new random flows, until stopped
	@cmake --build --preset release --target torvyn_reactor_test
	@tools/simulate

check: setup build/build.ninja  ## Check format, lint, layering, and that headers compile alone
	@tools/run-tests check

format: setup  ## Format all sources
	@tools/check-format --fix

clean:  ## Remove all that was built here, but not the engine in the cache folder
	@rm -rf build

help:  ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The usual commands. Everything is done by CMake and by scripts/; this file only spells the calls.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build mpi test demo install format format-check tidy sanitize tsan fuzz bench tables accuracy clean

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
DATA ?= ../shared/data
SOURCES = git ls-files --cached --others --exclude-standard '*.h' '*.cpp'

# $(call configure,PRESET,SETUP ARGUMENTS,CMAKE ARGUMENTS): a copy of ONNX Runtime found earlier is looked up anew.
configure = root=$$(scripts/setup.sh $(2)) && cmake --preset $(1) -U 'ONNXRUNTIME_*' -DONNXRUNTIME_ROOT="$$root" $(3)
compile = cmake --build --preset $(1) -j $(JOBS)
check = ctest --preset $(1) -j $(JOBS)

help: ## show this list
	@sed -n -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## install the packages and ONNX Runtime that the build needs
	@scripts/setup.sh >/dev/null

build: ## build the program: build/release/ocs
	@$(call configure,release)
	@$(call compile,release) --target ocs

test: ## build everything and run all tests
	@$(call configure,release)
	@$(call compile,release)
	@$(call check,release)

mpi: ## build the program with MPI, build/mpi/ocs, and run the tests of it
	@$(call configure,mpi,--mpi)
	@$(call compile,mpi) --target ocs cli_test
	@ctest --preset mpi

demo: build ## quantize a small network in several ways and show what each costs
	@scripts/demo.sh

install: ## install program, library and headers under PREFIX (default /usr/local)
	@$(call configure,release)
	@$(call compile,release)
	@cmake --install build/release --prefix "$(PREFIX)"

format: ## lay out all sources
	@scripts/setup.sh --dev >/dev/null
	@$(SOURCES) | xargs clang-format-16 -i

format-check: ## fail if a source is not laid out
	@scripts/setup.sh --dev >/dev/null
	@$(SOURCES) | xargs clang-format-16 --dry-run -Werror

tidy: ## run clang-tidy over the sources, the newest first
	@$(call configure,tidy,--dev)
	@scripts/tidy.py build/tidy $(if $(TIDY_SECONDS),--seconds $(TIDY_SECONDS))

sanitize: ## run the tests, and replay the fuzz corpora, under the address and undefined sanitizers
	@$(call configure,sanitize,,$(if $(wildcard fuzz/CMakeLists.txt),-DOCS_BUILD_FUZZ=ON))
	@$(call compile,sanitize)
	@$(call check,sanitize)

tsan: ## run the parallel tests under the thread sanitizer
	@$(call configure,tsan)
	@$(call compile,tsan)
	@$(call check,tsan)

fuzz: ## run each fuzz target for FUZZ_SECONDS (default 60)
	@$(call configure,fuzz,--dev)
	@$(call compile,fuzz)
	@scripts/fuzz.sh build/fuzz $(FUZZ_SECONDS)

bench: ## measure ocs beside other tools on the models in DATA, and its kernels, and write docs/performance.md (BENCH="--images 64 ...")
	@$(call configure,release,--bench,-DOCS_BUILD_BENCH=ON)
	@$(call compile,release) --target ocs bench/all
	@scripts/performance.py build/release "$(DATA)" $(BENCH)

tables: build ## re-run the tables of the paper on the models in DATA (TABLES="table1 ...": only these) and write docs/reproduction.md
	@scripts/tables.sh reproduction "$(DATA)"

accuracy: build ## quantize every model in DATA with every recipe (TABLES="resnet20 ...": only these) and write docs/accuracy.md
	@scripts/tables.sh accuracy "$(DATA)"

clean: ## remove everything that was built
	@rm -rf build

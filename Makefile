# make demo     install, build, pretrain and train: from a fresh clone to a solved task
# make test     run all tests
# make help     list all targets

TASK ?= cartpole-swingup
SEED ?= 0

# The tasks of the DeepMind Control suite are built if MuJoCo can be found or installed (auto), or must be (1), with
# Debian's MuJoCo 2.2 (system), or not at all (0).
mujoco = $(or $(MUJOCO),auto)
# Tests need no download of MuJoCo, except with MUJOCO=1.
test fixture: mujoco = $(or $(MUJOCO),0)

# Read after set-up, which may install it: the folder of MuJoCo 3, 'system', or nothing.
found = $(shell .ci/mujoco found $(mujoco))
traits = $(if $(found),--traits MuJoCo$(comma)OneDNN) $(mujoco3)
portable_traits = $(if $(found),--traits MuJoCo,--disable-default-traits) $(mujoco3)
comma = ,
# The library by its path, because the linker may find another one first. The macro is as that of DNNL below.
mujoco3 = $(if $(filter .mujoco/%,$(found)),-Xcc '-DPIXELRL_MUJOCO=$(CURDIR)/$(found)' -Xcc '-I$(CURDIR)/$(found)/include' \
	-Xlinker '$(CURDIR)/$(found)/lib/libmujoco.so' -Xlinker '-L$(CURDIR)/$(found)/lib' \
	-Xlinker -rpath -Xlinker '$(CURDIR)/$(found)/lib')

# DNNL=/path uses the oneDNN in /path/include and /path/lib. With the macro, the compiler does not reuse the headers of
# another one, which it has in its cache.
ifdef DNNL
override DNNL := $(abspath $(DNNL))
export DNNL
onednn = -Xcc '-DPIXELRL_DNNL=$(DNNL)' -Xcc '-I$(DNNL)/include' \
	-Xlinker '-L$(DNNL)/lib' -Xlinker -rpath -Xlinker '$(DNNL)/lib'
endif

# Release builds use AVX2 where this machine has it. CPU=x86-64 builds a program for every machine, CPU= for the compiler's
# default; other names are those of clang's -mcpu.
CPU ?= $(shell test "$$(grep -m1 ^flags /proc/cpuinfo | tr ' ' '\n' | grep -cxE 'avx2|fma|bmi2|movbe')" = 4 && echo haswell)
optimized = -c release $(if $(CPU),-Xswiftc -target-cpu -Xswiftc $(CPU))

# Tests are optimised: building takes longer, but the tests themselves much less. They have their own
# folder, because a program for tests is not as fast as a release.
tested = $(optimized) -Xswiftc -enable-testing

# The portable build uses plain Swift kernels. It has its own folder, so that the two builds do not overwrite each other.
portable = $(portable_traits) --scratch-path .build-portable

# The Python for tests and 'pixelrl bench'.
export PIXELRL_PYTHON ?= $(CURDIR)/.venv/bin/python
export PIXELRL_PEER_PYTHON ?= $(PIXELRL_PYTHON)

.PHONY: help demo demo-portable play build build-portable test test-portable fixture wheel try-wheel lint readme docs man bench readers peers models parity set-up set-up-portable set-up-tests

help:
	@echo "make demo             install missing packages, build, pretrain an autoencoder, train on its latents"
	@echo "make demo-portable    the same without oneDNN"
	@echo "make test             install missing packages and run all tests"
	@echo "make test-portable    the same without oneDNN"
	@echo "make fixture          after make test: build and run Tests/Fixture, a package that adds its own members"
	@echo "TESTS=...             arguments of swift test, such as TESTS='--filter ReplayTests'"
	@echo "make build            build in release: .build/release/pixelrl"
	@echo "make wheel            pack the program for machines without Swift: .build-wheel/pixelrl-….whl"
	@echo "make try-wheel        install and run it on a fresh Debian; SUITE=bookworm or trixie"
	@echo "make lint             check the formatting"
	@echo "make readme           regenerate the settings page"
	@echo "make docs             build the documentation as a web site in .build/docs"
	@echo "make man              write man pages to .build/man"
	@echo "make bench            compare the engine's speed with its peers (after make peers)"
	@echo "make readers          create .venv with the Python packages for the tests; make test does so too"
	@echo "make peers            also install PyTorch, JAX and dm_control in .venv, for make bench and make parity"
	@echo "MUJOCO=auto           build the tasks of the DeepMind Control suite if MuJoCo 3 can be downloaded; the default, but"
	@echo "                      make test leaves them out. 1: they must be built, 0: not, system: with Debian's MuJoCo 2.2"
	@echo "DNNL=/path            build with the oneDNN in /path/include and /path/lib: make build DNNL=/path, make test DNNL=/path"
	@echo "CPU=x86-64            build for every x86-64 machine; by default for AVX2 if this machine has it"
	@echo "make models           download the models of these tasks; make build does so too"
	@echo "make parity           compare the environments with dm_control (after make peers)"
	@echo "TASK=... SEED=...      another environment or seed for the demo"

demo: build
	@$(MAKE) --no-print-directory play PROGRAM=.build/release/pixelrl

demo-portable: build-portable
	@$(MAKE) --no-print-directory play PROGRAM=.build-portable/release/pixelrl

play:
	$(PROGRAM) pretrain-ae --env $(TASK) --seed $(SEED) --threads 0 --why "the demo"
	$(PROGRAM) train --latent --env $(TASK) --seed $(SEED) --threads 0 --why "the demo"

build: set-up
	swift build $(optimized) $(traits) $(onednn)

build-portable: set-up-portable
	swift build $(optimized) $(portable)

test: set-up set-up-tests
	swift test $(tested) --scratch-path .build-test $(traits) $(onednn) $(TESTS)

test-portable: set-up-portable set-up-tests
	swift test $(tested) $(portable) $(TESTS)

# After 'make test', with the same flags: its build has everything that the fixture needs.
fixture:
	.ci/fixture .build-test $(tested) $(traits) $(onednn)

# For every x86-64 machine with Debian 12 or newer: with Swift's libraries inside, and without MuJoCo.
wheel: mujoco = 0
wheel: CPU = x86-64
wheel: set-up
	@.ci/set-up wheel
	.ci/no-curl .build-wheel/no-curl
	swift build $(optimized) --static-swift-stdlib --product pixelrl --scratch-path .build-wheel \
		-Xlinker '-L$(CURDIR)/.build-wheel/no-curl'
	.ci/wheel .build-wheel

# As root, after 'make wheel'. TRY=full runs the whole demo.
try-wheel:
	@.ci/set-up wheel
	.ci/try-wheel .build-wheel/*.whl $(or $(SUITE),bookworm) $(TRY)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

readme:
	swift build
	.build/debug/pixelrl settings --markdown > .build/settings.md
	sed -i -e '/<!-- settings: begin/,/<!-- settings: end/{//!d}' -e '/<!-- settings: begin/r .build/settings.md' Sources/pixelrl/pixelrl.docc/Settings.md

# Pages link to each other's files, which works in the repository. On the web site, the links must point to its pages.
# SwiftPM builds documentation with all traits, so that it needs MuJoCo.
docs: mujoco = $(or $(filter system,$(MUJOCO)),1)
docs: set-up
	mkdir -p .build/docs
	CPATH=$(if $(filter .mujoco/%,$(found)),$(CURDIR)/$(found)/include) \
	swift package --allow-writing-to-directory .build/docs generate-documentation --target pixelrl --warnings-as-errors \
		--symbol-graph-minimum-access-level public --output-path .build/docs
	find .build/docs/data -name '*.json' -exec \
		sed -i -E 's#"([A-Za-z]+)\.md(\#[^"]*)?"#"/documentation/pixelrl/\L\1\E\2"#g' {} +

man: set-up
	mkdir -p .build/man
	swift package --allow-writing-to-package-directory generate-manual --multi-page --output-directory .build/man

bench: build
	.build/release/pixelrl bench

readers: .venv/readers

.venv/readers: Tests/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement Tests/requirements.txt
	.venv/bin/pip install --quiet --no-deps 'stable-baselines3<3'
	touch .venv/readers

peers: readers
	.venv/bin/pip install --quiet torch jax dm_control "mujoco==$$(.ci/mujoco version)"

models:
	@.ci/models

parity:
	$(MAKE) --no-print-directory build MUJOCO=$(or $(filter system,$(MUJOCO)),1)
	cd experiments/checks/parity && $(PIXELRL_PYTHON) compare.py ../../../.build/release/pixelrl
	cd experiments/checks/parity && $(PIXELRL_PYTHON) suite.py ../../../.build/release/pixelrl
	$(if $(filter system,$(MUJOCO)),,cd experiments/checks/parity && $(PIXELRL_PYTHON) suite.py ../../../.build/release/pixelrl --steps 1000 --rollouts 2)

# Without a network, the tests that need the Python packages are skipped, and a message says so.
set-up-tests:
	@.ci/set-up tests $(if $(filter 0,$(mujoco)),,opengl)
	@$(MAKE) --no-print-directory readers || echo "pixelrl: cannot install the Python packages: the tests that need them are skipped" >&2

set-up:
	@.ci/set-up
	@.ci/mujoco $(mujoco)

set-up-portable:
	@.ci/set-up portable
	@.ci/mujoco $(mujoco)

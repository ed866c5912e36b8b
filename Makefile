# make demo     from nothing to a solved task, with pictures to open
# make test     all tests
# make help     the rest

TASK ?= cartpole-swingup
SEED ?= 0

# MUJOCO=1 adds the DeepMind Control suite: Debian's libmujoco-dev, and the models of the dm_control wheel.
ifdef MUJOCO
traits = --traits MuJoCo,OneDNN
portable_traits = --traits MuJoCo
else
portable_traits = --disable-default-traits
endif

# The portable build computes in plain Swift, and has a folder of its own so that neither build undoes the other.
portable = $(portable_traits) --scratch-path .build-portable

# The Python that tests and 'pixelrl bench' compare with.
export PIXELRL_PYTHON ?= $(CURDIR)/.venv/bin/python
export PIXELRL_PEER_PYTHON ?= $(PIXELRL_PYTHON)

.PHONY: help demo demo-portable play build build-portable test test-portable lint readme bench readers peers models parity set-up set-up-portable set-up-tests

help:
	@echo "make demo             install what is missing, build, pretrain an autoencoder, train on its latents"
	@echo "make demo-portable    the same without oneDNN"
	@echo "make test             install what is missing and run all tests"
	@echo "make test-portable    the same without oneDNN"
	@echo "TESTS=...             such as TESTS='--filter ReplayTests'"
	@echo "make build            build in release: .build/release/pixelrl"
	@echo "make lint             check the formatting"
	@echo "make readme           write the page of settings anew"
	@echo "make bench            the engine beside its peers (after make peers)"
	@echo "make readers          a .venv with the Python packages that tests compare with, which make test does too"
	@echo "make peers            PyTorch and dm_control beside them, which benchmarks and make parity compare with"
	@echo "MUJOCO=1              with the tasks of the DeepMind Control suite: make build MUJOCO=1, make test MUJOCO=1, ..."
	@echo "make models           fetch their models, which the above does too"
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
	swift build -c release $(traits)

build-portable: set-up-portable
	swift build -c release $(portable)

test: set-up set-up-tests
	swift test $(traits) $(TESTS)

test-portable: set-up-portable set-up-tests
	swift test -c release -Xswiftc -enable-testing $(portable) $(TESTS)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

readme:
	swift build
	.build/debug/pixelrl settings --markdown > .build/settings.md
	sed -i -e '/<!-- settings: begin/,/<!-- settings: end/{//!d}' -e '/<!-- settings: begin/r .build/settings.md' Sources/pixelrl/pixelrl.docc/Settings.md

bench: build
	.build/release/pixelrl bench

readers: .venv/readers

.venv/readers: Tests/requirements.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement Tests/requirements.txt
	.venv/bin/pip install --quiet --no-deps 'stable-baselines3<3'
	touch .venv/readers

peers: readers
	.venv/bin/pip install --quiet torch dm_control 'mujoco<4'

models:
	@.ci/models

parity:
	$(MAKE) --no-print-directory build MUJOCO=1
	cd experiments/parity && $(PIXELRL_PYTHON) compare.py ../../.build/release/pixelrl
	cd experiments/parity && $(PIXELRL_PYTHON) suite.py ../../.build/release/pixelrl

# Without a network the tests that compare with Python are skipped, and say so.
set-up-tests:
	@.ci/set-up tests $(if $(MUJOCO),opengl)
	@$(MAKE) --no-print-directory readers || echo "pixelrl: no Python readers: tests that compare with them are skipped" >&2

set-up:
	@.ci/set-up $(if $(MUJOCO),mujoco)
	@$(if $(MUJOCO),.ci/models)

set-up-portable:
	@.ci/set-up portable $(if $(MUJOCO),mujoco)
	@$(if $(MUJOCO),.ci/models)

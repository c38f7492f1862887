# SPDX-License-Identifier: GPL-3.0-or-later
# Needs GNU make and Python 3.11, 3.12 or 3.13; everything else is set up in .venv, .cache and build, which Git ignores.
# `make ANSIBLE_CORE=2.21 PYTHON=python3.12 unit` uses another line of ansible-core of tests/ansible-core.txt, in a venv of its own.

CACHE := $(CURDIR)/.cache
CORES := tests/ansible-core.txt
DEFAULT_CORE := 2.19
ANSIBLE_CORE ?= $(DEFAULT_CORE)
CORE_RELEASE := $(shell awk '/^$(ANSIBLE_CORE)[.]/ { print $$1 }' $(CORES))
PYTHONS := $(strip $(shell awk '/^$(ANSIBLE_CORE)[.]/ { $$1 = ""; print }' $(CORES)))
ifeq ($(CORE_RELEASE),)
$(error ANSIBLE_CORE is $(ANSIBLE_CORE), which $(CORES) does not have)
endif
PACKAGE := secops-servicenow_defender
CONTENT := CHANGELOG.rst CODE_OF_CONDUCT.md CONTRIBUTING.md LICENSE README.md SECURITY.md TESTING.md changelogs docs examples extensions \
  galaxy.yml meta playbooks plugins requirements.txt roles tests/config.yml tests/sanity
# Folders count as sources too: their time stamp changes when a file is removed. Full paths, as `docs` is a target as well.
SOURCES := $(shell find $(addprefix $(CURDIR)/,$(CONTENT)) -name __pycache__ -prune -o -print 2>/dev/null)

SUITABLE := import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(PYTHONS)".split())
PYTHON ?= $(shell for python in python3 $(PYTHONS:%=python%); do \
  "$$python" -c '$(SUITABLE)' 2>/dev/null && { echo "$$python"; break; }; done)
VENV := $(CURDIR)/$(if $(filter $(DEFAULT_CORE),$(ANSIBLE_CORE)),.venv,.cache/venv-$(ANSIBLE_CORE)-$(notdir $(PYTHON)))

# Commands find the tools of .venv and the installed collection, whatever the user's own configuration of Ansible says.
export PATH := $(VENV)/bin:$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CACHE)/collections
export ANSIBLE_CONFIG := $(CACHE)/ansible.cfg
export ANSIBLE_HOME := $(CACHE)/ansible
# Tools that ask Git for the files of a collection must not find this repository, which ignores .cache, around the installed one.
export GIT_CEILING_DIRECTORIES := $(CACHE)
ifneq ($(shell uname -s),Darwin)
export LC_ALL := C.UTF-8
endif

CHECKS := lint docs sanity unit integration walks browser automation

.DEFAULT_GOAL := help
.PHONY: help demo test check compatibility $(CHECKS) build site bench resilience action-groups changelog format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .cache/installed ## show the whole job against a simulated fleet, with no account anywhere
	@$(VENV)/bin/python -m tests.demo

test: .cache/installed ## everything that CI checks
	@$(VENV)/bin/python -m tools.checks

check: .cache/installed ## lint without ansible-lint, most unit tests and one play, for daily use
	@$(VENV)/bin/python -m tools.checks check

compatibility: .cache/installed ## what ansible-core can break, for one line of it: ANSIBLE_CORE=2.21 PYTHON=python3.12
	@$(VENV)/bin/python -m tools.checks sanity unit integration

lint: ## format, style, types, YAML, Ansible and changelog rules, action groups
docs: ## documentation of modules, plugins and roles
sanity: ## ansible-test sanity, without Docker
unit: ## unit tests
integration: ## modules, roles and playbooks against the simulated fleet; of walks a sample: SEED=1
walks: ## all cases of the walks among the integration tests
browser: ## the report page in a real browser
automation: ## rulebooks, and slices and content of a controller, with ansible-rulebook, ansible-runner and awx.awx

$(CHECKS): .cache/installed
	@$(VENV)/bin/python -m tools.checks $@

build: .cache/installed ## the archive for Galaxy, in build/, tried out in an empty place
	@$(VENV)/bin/python -m tools.checks build

site: .cache/installed ## the documentation as a web site, in build/site/html
	@$(VENV)/bin/python -m tools.site

bench: .cache/installed ## measure the budgets of speed and memory
	@$(VENV)/bin/python -m tests.perf

resilience: .cache/installed ## kill runs, let them overlap, add faults, and compare every row afterwards: SEED=1 ONLY=kills
	@$(VENV)/bin/python -m tests.resilience $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

action-groups: $(VENV)/ready ## rewrite the action groups in meta/runtime.yml
	@$(VENV)/bin/python -m tools.action_groups

changelog: .cache/installed ## turn the fragments into the entry of the version in galaxy.yml
	@antsibull-changelog release

format: $(VENV)/ready ## let ruff sort imports and lay out the code
	@$(VENV)/bin/ruff check --quiet --fix .
	@$(VENV)/bin/ruff format --quiet .

clean: ## remove everything generated
	rm -rf .ansible .cache .hypothesis .nox .venv build

$(VENV)/ready: tests/requirements.txt $(CORES)
	@"$(or $(PYTHON),false)" -c '$(SUITABLE)' 2>/dev/null || { \
	  echo 'ansible-core $(ANSIBLE_CORE) needs Python $(PYTHONS); $(or $(PYTHON),python3) is "'"$$($(or $(PYTHON),python3) --version 2>&1)"'".' >&2; \
	  echo 'Name one, for example: make PYTHON=/usr/bin/python$(lastword $(PYTHONS)) $(MAKECMDGOALS)' >&2; exit 1; }
	@mkdir -p $(CACHE)/logs
	@echo 'setting up $(VENV:$(CURDIR)/%=%) with the tools of tests/requirements.txt'
	@{ { $(VENV)/bin/python -m pip --version || "$(PYTHON)" -m venv --clear $(VENV); } && \
	  $(VENV)/bin/python -m pip install --disable-pip-version-check -r tests/requirements.txt ansible-core==$(CORE_RELEASE); } \
	  >$(CACHE)/logs/venv.log 2>&1 || { cat $(CACHE)/logs/venv.log; exit 1; }
	@touch $@

.cache/installed: $(VENV)/ready $(SOURCES)
	@mkdir -p $(CACHE)/logs
	@echo '[defaults]' >$(ANSIBLE_CONFIG)
	@{ rm -rf build/$(PACKAGE)-*.tar.gz $(CACHE)/collections && \
	  ansible-galaxy collection build --force --output-path build && \
	  ansible-galaxy collection install --offline --force --collections-path $(CACHE)/collections build/$(PACKAGE)-*.tar.gz; } \
	  >$(CACHE)/logs/install.log 2>&1 || { cat $(CACHE)/logs/install.log; exit 1; }
	@touch $@

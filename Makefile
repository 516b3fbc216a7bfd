# Each target installs what it needs into .venv/ first. "make" alone lists them.

PYTHON ?= python3
PROJECT := .venv/project
SAM := .venv/sam
EMULATOR := .venv/emulator
CHECKOV := .venv/checkov
RCLONE := .venv/rclone
OPENAPI := .venv/openapi
LOCK := .venv/lock
RUNTIME ?=
ARCH ?= arm64
REGION ?= us-east-1
COUNT ?= 1000
FIRST ?= 1

# Some machines forbid byte code. Here hundreds of interpreters start, and each would compile every module again.
export PYTHONDONTWRITEBYTECODE :=

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo up test check build release cloud-test lock bench faults histories clean venvs matrix

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: venvs ## Archive attachments on this machine, from a simulated Bigin to an emulated AWS; compare every byte
	@$(PROJECT)/bin/python -m local demo

up: venvs ## The same local stack, left running for trying things by hand (Ctrl-C stops it)
	@$(PROJECT)/bin/python -m local up

# More workers than many machines have cores: half of the time they wait for servers.
test: venvs $(RCLONE)/.installed $(OPENAPI)/.installed ## All tests; they need no account
	@$(PROJECT)/bin/python -m pytest -n 4 --dist loadfile

matrix: venvs $(RCLONE)/.installed ## All tests on each Python that is here, and on the oldest boto3 (TESTS=tests/unit for some)
	@$(PROJECT)/bin/python -m local.matrix $(TESTS)

check: venvs $(CHECKOV)/.installed $(OPENAPI)/.installed ## Format, lint, types, OpenAPI, template, security of the template
	$(PROJECT)/bin/ruff format --check .
	$(PROJECT)/bin/ruff check .
	$(PROJECT)/bin/mypy functions local operate tests/bench
	$(OPENAPI)/bin/openapi-spec-validator docs/openapi.json
	$(PROJECT)/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam validate --region $(REGION) --config-env local
	SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam validate --region $(REGION) --lint
	$(CHECKOV)/bin/checkov -f template.yaml --framework cloudformation --compact --quiet --skip-download

build: venvs ## The package for AWS, and what it is made of (RUNTIME=python3.13 ARCH=arm64)
	@$(PROJECT)/bin/python -m local.package --runtime "$(RUNTIME)" --architecture "$(ARCH)"

release: build ## The files of a release, in dist/ (TAG=v1.2.3)
	@$(PROJECT)/bin/python -m local.release "$(TAG)"

cloud-test: venvs ## Deploy a stack of its own to your AWS account, try it, and remove it
	@$(PROJECT)/bin/python -m tests.cloud

lock: $(LOCK)/.installed ## Pin what is packaged, with hashes, after a change of requirements.txt
	@cd functions && CUSTOM_COMPILE_COMMAND="make lock" ../$(LOCK)/bin/pip-compile --quiet --generate-hashes --strip-extras \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links requirements.in

bench: venvs ## Measure this project and its peers in one run (DOCS=1 writes the tables into docs/)
	@$(PROJECT)/bin/python -m tests.bench $(if $(DOCS),--docs)

faults: venvs ## The whole fault suite (MUTATE=1 plants bugs instead; DOCS=1 writes the table into docs/)
	@$(PROJECT)/bin/python -m tests.faults $(if $(MUTATE),--mutate) $(if $(DOCS),--docs)
	@$(if $(MUTATE),,$(PROJECT)/bin/python -m pytest -q -n 4 --dist loadfile -m in_memory --emulator)
	@FUZZ_EXAMPLES=100000 $(PROJECT)/bin/python -m pytest -q -n 2 --dist load tests/unit/test_fuzz.py
	@$(if $(MUTATE),,$(MAKE) histories COUNT=1000)

histories: venvs ## Random histories of a whole account, judged against the truth (COUNT=1000 FIRST=1; DOCS=1 writes the figures)
	@$(PROJECT)/bin/python -m tests.histories --count $(COUNT) --first $(FIRST) $(if $(DOCS),--docs)

clean: ## Remove everything that make made
	rm -rf .venv .local .aws-sam dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- Virtual environments: several, since their packages need different versions of the same things ----------------------
# They are independent, so they are made at the same time.

venvs:
	@$(MAKE) -sj3 $(PROJECT)/.installed $(SAM)/.installed $(EMULATOR)/.installed

$(PROJECT)/.installed: requirements-dev.txt requirements.txt operate/requirements.txt
$(SAM)/.installed: local/requirements-sam.txt
$(EMULATOR)/.installed: local/requirements-emulator.txt
$(CHECKOV)/.installed: local/requirements-checkov.txt
$(RCLONE)/.installed: tests/requirements-rclone.txt
$(OPENAPI)/.installed: tests/requirements-openapi.txt
$(LOCK)/.installed: local/requirements-lock.txt
.venv/uv/.installed: local/requirements-uv.txt

.venv/%/.installed: | .venv/uv/.installed
	@$(PYTHON) -m local.virtual_environments $* $<
	@touch $@

.venv/uv/.installed:
	@mkdir -p .venv/uv
	@$(PYTHON) -m local.virtual_environments uv $<
	@touch $@

# Everything that CI runs, and what a developer runs by hand. `make help` lists it.
SHELL  := /bin/bash
BIN    := bin
PYTHON ?= python3
LINT   := go tool -modfile=tools/lint.mod
VENV   := .tools/venv
CHECKOV := .tools/checkov
# Every committed template: those of generated/ and the goldens, which have what those do without.
TEMPLATES := generated/*/*/template.json gen/emitcfn/testdata/*.template.json
# The packages whose tests take -update.
GOLDENS := ./cmd/mlmaxgen ./gen/check ./gen/plan ./gen/emitasl ./gen/emitcfn ./gen/emitgo ./gen/emitdoc ./pipeline/delta ./pipeline/lineage

.DEFAULT_GOAL := help
.PHONY: help build gen check test race fuzz bench update fresh limits lint cfn checkov aws cover ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the generator and the shipped pipelines into bin/
	go build -ldflags='-s -w' -o $(BIN)/ ./cmd/mlmaxgen
	for d in generated/*/; do go build -ldflags='-s -w' -o $(BIN)/$$(basename $$d) ./$$d || exit 1; done

gen: ## write the generated files of the shipped specs
	go generate ./specs/...

check: ## fail if a generated file is not what its spec leads to
	go tool mlmaxgen check ./specs/...

test: ## run all tests
	go test ./...

race: ## run the short tests under the race detector
	go test -race -short ./...

fuzz: ## fuzz each parser for FUZZTIME (default 10s)
	./tools/fuzz $(or $(FUZZTIME),10s)

bench: ## measure the figures that the project promises, each beside what it is compared with
	go run ./internal/bench

update: ## rewrite the goldens and generated files
	go test $(GOLDENS) -update
	$(MAKE) gen

fresh: ## rewrite them and fail if that changed anything
	./tools/fresh

limits: ## make the tables of service limits and time zones anew
	go run ./gen/limits/internal/fetch -python $(PYTHON)
	go run ./gen/limits/internal/zones

lint: ## gofmt, vet, staticcheck, module files, known vulnerabilities
	./tools/lint

cfn: $(VENV)/ready ## cfn-lint on every committed template
	$(VENV)/bin/cfn-lint --non-zero-exit-code informational -- $(TEMPLATES)

checkov: $(CHECKOV)/ready ## checkov on every committed template
	$(CHECKOV)/bin/checkov --skip-download --compact --quiet --framework cloudformation -f $(TEMPLATES)

aws: ## install the AWS CLI and moto for the tests that drive internal/awsfake
	./tools/aws

cover: ## coverage of the tests by package
	go test -coverpkg=./gen/...,./pipeline/...,./cmd/... -coverprofile=cover.out ./... && go tool cover -func=cover.out | tail -1

ci: lint check fresh cfn checkov race ## what CI runs after the tests

clean: ## remove what was built and installed here
	rm -rf $(BIN) .tools cover.out

$(VENV)/ready: tools/requirements.txt
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tools/requirements.txt
	touch $@

# In an environment of its own: it brings some 100 packages, and pins of them.
$(CHECKOV)/ready: tools/checkov.txt
	rm -rf $(CHECKOV)
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --disable-pip-version-check -r tools/checkov.txt
	touch $@

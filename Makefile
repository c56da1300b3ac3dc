# Broadside. `make help` lists the targets; `make up` and `make test` do all the set-up they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD    = CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
STATICCHECK = .tools/staticcheck
FUZZTIME ?= 60s # in total, over all fuzz targets

.PHONY: up build test test-unit test-race deps lint fmt bench fuzz clean help

up: build .env ## build, make .env with random secrets if there is none, and serve http://localhost:3000
	set -a; . ./.env; set +a; exec bin/broadside up

build: ## bin/broadside and bin/k6agent, static
	$(BUILD) -o bin/broadside ./cmd/broadside
	$(BUILD) -o bin/k6agent ./cmd/k6agent

.env:
	scripts/make-env.sh .env

deps: ## install what the tests need (Debian as root; elsewhere it says what is missing)
	scripts/test-deps.sh

test: deps build test-unit test-race fuzz ## run everything: unit, integration, race, fuzz

test-unit: ## unit and integration tests
	go test -tags integration ./...
	cd test/servers && go test -tags integration ./...

test-race: ## our packages that have goroutines, under the race detector
	CGO_ENABLED=1 go test -race ./engine/... ./agent/... ./dashboard/...

lint: deps $(STATICCHECK) ## gofmt, go vet, staticcheck, shellcheck
	scripts/lint.sh

$(STATICCHECK): tools/go.mod tools/go.sum
	mkdir -p .tools
	cd tools && go build -o ../$(STATICCHECK) honnef.co/go/tools/cmd/staticcheck

fmt: ## format the code
	gofmt -w $$(git ls-files '*.go')

bench: deps build ## the figures of docs/benchmarks.md, which it writes; BENCH='-rows plain' prints some
	go run ./test/bench $(or $(BENCH),-docs docs/benchmarks.md) bin

fuzz: ## every fuzz target, FUZZTIME in total
	scripts/fuzz.sh $(FUZZTIME)

clean: ## remove what was built; data/ and .env stay
	rm -rf bin .tools

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

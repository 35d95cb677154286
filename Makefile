# `make run` starts the demonstration, `make test` runs every test. Only Go is needed; what else a test wants it installs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
BIN := bin/hookline
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
FUZZTIME ?= 30s
SHOTS ?= screenshots

.PHONY: help build run demo-real test race brokers lint verify generate screenshots fuzz bench torture clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

build: ## build bin/hookline
	@mkdir -p bin
	go build -trimpath -o $(BIN) ./cmd/hookline

run: build ## start the demonstration: both seed providers, receivers, a generator
	exec $(BIN) dev

demo-real: build ## publish every DNSimple payload of SAMPLES=DIR and compare what arrives, byte for byte
	$(BIN) dev --real "$(SAMPLES)"

test: ## run every test (short forms of the long ones)
	HOOKLINE_NEEDS_ALL=1 go test -timeout 20m ./...
	plugins/brokers/test.sh

brokers: ## test the transports to brokers and the ingest; says what it had no server for
	plugins/brokers/test.sh

race: ## the same under the race detector
	go test -race -timeout 40m ./...

lint: ## gofmt, go vet, staticcheck; the dashboard's types where npm is
	@out=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go' | grep -v '\.pb\.go$$')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	cd plugins/brokers && go vet ./... && go run $(STATICCHECK) ./...
	@if command -v npm >/dev/null; then engine/dashboard/build.sh --types; else echo "npm is not here: the dashboard's types were not checked"; fi

verify: ## generated code, the built dashboard and go.mod are up to date, the plugins' wire is compatible (needs npm)
	plugins/proto/generate.sh --check
	go test -count=1 -run Compatible ./plugins/proto
	engine/dashboard/build.sh --check
	go mod tidy -diff
	go mod verify
	cd plugins/brokers && go mod tidy -diff && go mod verify

generate: ## make the generated code and the built dashboard anew (needs npm)
	plugins/proto/generate.sh
	engine/dashboard/build.sh

screenshots: build ## pictures of every screen, light and dark, desktop and phone, into SHOTS (default ./screenshots)
	@mkdir -p $(SHOTS)
	HOOKLINE_BIN=$(abspath $(BIN)) HOOKLINE_SCREENSHOTS=$(abspath $(SHOTS)) go test -count=1 -run 'TestPortal|TestDashboard' ./cmd/hookline/blackbox

fuzz: ## fuzz every target for FUZZTIME each (default 30s)
	@for pkg in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
		echo "== $$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; done; done

bench: build ## measure against the bare loop, in one run; then the Go benchmarks
	$(BIN) bench
	go test -run '^$$' -bench . -benchmem ./...

torture: build ## the long forms: kills under load, real 30 s timeouts, more crash cycles
	HOOKLINE_TORTURE=100 HOOKLINE_SLOW=1 go test -count=1 -timeout 120m ./cmd/hookline/... ./eventlog/... ./plugins/...

clean: ## remove what was built and the demonstration's data
	rm -rf bin data

# The two commands: `make up` runs LiveLab on this machine, `make test` is the
# truth about it. Both need Go and nothing else.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector needs a C compiler; where there is one, it is used for the
# rooms that share memory between goroutines.
RACE := $(shell command -v gcc >/dev/null 2>&1 && echo -race)

.PHONY: up build test bench clean

up: build ## Build and run everything on this machine.
	./bin/livelab up

build: ## Build the one static binary.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/livelab ./cmd/livelab

test: ## All tests. Those on PostgreSQL run where its binaries are.
	test -z "$$(gofmt -l .)"
	$(GO) vet ./...
	$(GO) test -timeout 20m $(RACE) ./pipeline/... ./runtime/...
	$(GO) test -timeout 20m ./cmd/... ./plugins/... ./sql/... ./web/...

bench: ## The benchmarks behind the tables of the README.
	$(GO) test -run '^$$' -bench . -benchmem ./...

clean: ## Remove the binary. Data and models stay.
	rm -rf bin

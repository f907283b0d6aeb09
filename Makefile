# The two commands: `make up` runs LiveLab on this machine, `make test` is the
# truth about it. Both need Go and nothing else.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector needs a C compiler; where there is one, it is used for the
# rooms that share memory between goroutines.
RACE := $(shell command -v gcc >/dev/null 2>&1 && echo -race)

# The transforms that come with LiveLab, and those that the program carries.
PLUGINS := calendar comfort momentum pressure
CARRIED := calendar
BUILD_PLUGIN := GOOS= GOARCH= CGO_ENABLED=0 $(GO) run -trimpath ./cmd/livelab plugin build

.PHONY: up build carried plugins test bench bench-serve bench-train bench-model bench-plugins clean

up: build ## Build and run everything on this machine.
	./bin/livelab up

build: carried ## Build the one static binary, with the transforms that it carries.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/livelab ./cmd/livelab

carried:
	set -e; for p in $(CARRIED); do $(BUILD_PLUGIN) plugins/$$p --out plugins/shipped/$$p.wasm; done

plugins: ## Build all shipped transforms into bin/plugins. Needs clang, lld, rustc and npm.
	mkdir -p bin/plugins
	set -e; for p in $(PLUGINS); do $(BUILD_PLUGIN) plugins/$$p --out bin/plugins/$$p.wasm; done

test: ## All tests. Those on PostgreSQL run where its binaries are.
	test -z "$$(gofmt -l .)"
	$(GO) vet ./...
	$(GO) test -timeout 20m $(RACE) ./pipeline/... ./runtime/...
	$(GO) test -timeout 20m ./cmd/... ./plugins/... ./sql/... ./web/...

bench: ## The benchmarks behind the tables of the README.
	$(GO) test -run '^$$' -bench . -benchmem ./...

bench-serve: carried ## What the server takes, beside a bare Gin handler. Needs wrk and PostgreSQL.
	@command -v wrk >/dev/null || { echo 'The load comes from wrk, which is not installed: apt-get install wrk, or brew install wrk.' >&2; exit 1; }
	$(GO) test -run '^$$' -bench '(Serve|Load)$$' -benchtime 1x ./cmd/livelab

bench-train: ## Fits beside scikit-learn's up to 10,000,000 rows, and the way from the stores to the matrix. Needs python3-sklearn, PostgreSQL, 8 GB of memory and 3 GB of disk.
	$(GO) test -run '^$$' -bench '(FitBesideScikitLearn|ToMatrix)$$' -benchtime 1x -timeout 1h ./cmd/livelab

bench-model: carried ## The station model beside scikit-learn's on the recorded autumn. Needs python3-sklearn and 4 GB of memory.
	$(GO) test -run '^$$' -bench 'StationModel$$' -benchtime 1x -timeout 1h ./cmd/livelab

bench-plugins: ## What the shipped transforms bring, and what they cost.
	$(GO) test -run '^$$' -bench Shipped -benchtime 1x ./plugins

clean: ## Remove what was built. Data and models stay.
	rm -rf bin plugins/shipped/*.wasm

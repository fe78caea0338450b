# All of it needs Go alone, but for: generate (Java 11 and Maven), race (a C compiler), and clients, which skips what it lacks.

SHELL := bash
.SHELLFLAGS := -o pipefail -ec

FUZZTIME ?= 10s

.PHONY: build check test race bench fuzz clients generate power-loss soak cluster

build:
	go build -trimpath -o bin/ilium .

check:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...

test:
	go test ./...

race:
	go test -race ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

# Runs every fuzz target for FUZZTIME. go test lists a package's targets before the package.
fuzz:
	@go test -list '^Fuzz' ./... | \
	awk '/^Fuzz/ { target[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, target[i]; n = 0 }' | \
	while read -r package target; do \
		echo "$$target in $$package"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"; \
	done

# Starts the program and uses it with other people's drivers, those whose languages are there; downloads them.
clients:
	tests/clients/run.sh

# Cuts the power of a disk and makes one fail; needs root, loop devices and ext4.
power-loss:
	PROCESS_POWER_LOSS=1 go test ./tests/process -v -run 'PowerLoss|DiskFailure'

# Kills and damages twenty times as often as the tests do.
soak:
	PROCESS_ROUNDS=20 go test ./tests/process -run 'Damaged|Survive' -timeout 1h

# Kills, adds, replaces and removes nodes of clusters under load, measures detection, and breaks networks; the last needs root, ip
# and nft. CLUSTERTEST names some of the tests only.
CLUSTERTEST ?= TestCluster
cluster:
	PROCESS_CLUSTER=1 PROCESS_CLUSTER_NETWORK=1 go test ./tests/process -v -run '$(CLUSTERTEST)' -timeout 1h

generate:
	grammar/generate.sh
	go generate ./...

# All of it needs Go alone, but for: generate (Java 11 and Maven) and race (a C compiler).

SHELL := bash
.SHELLFLAGS := -o pipefail -ec

FUZZTIME ?= 10s

.PHONY: build check test race bench fuzz generate

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

generate:
	grammar/generate.sh
	go generate ./...

#!/usr/bin/env bash
# Runs the tests of both versions of the Go driver.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need go
cd "$suite"
go vet ./...
go test -count 1 -p 1 ./...

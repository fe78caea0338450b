#!/usr/bin/env bash
# Runs the tests of the original cqlsh.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
environment
cd "$suite"
PATH=$downloads/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.. "$python" -m unittest "$@"

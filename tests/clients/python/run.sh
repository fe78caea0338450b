#!/usr/bin/env bash
# Runs the tests of the Python driver.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
environment
cd "$suite"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=.. "$python" -m unittest "$@"

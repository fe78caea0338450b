#!/usr/bin/env bash
# Runs the tests of the Node.js driver.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need node npm
cp "$suite"/package.json "$suite"/package-lock.json "$suite"/*.js "$downloads"
cd "$downloads" # where node looks for what npm installs
npm ci --silent --no-audit --no-fund
node --test --test-force-exit # the driver leaves timers behind after a restart

#!/usr/bin/env bash
# Runs the suites that are named, or all, and says how each ended. Those whose tools are missing are skipped.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- gocql gocql-suite python java node cqlsh

if [ -z "${ILIUM:-}" ]; then
	export ILIUM=$(cd ../.. && pwd)/bin/clients/ilium
	(cd ../.. && go build -o "$ILIUM" .)
fi

status=0 summary=
for suite; do
	echo "== $suite"
	code=0
	output=$("$suite/run.sh" 2>&1) || code=$?
	echo "$output"
	case $code in
	0) summary+="$suite: ok"$'\n' ;;
	77) summary+="$suite: $(tail -n 1 <<<"$output")"$'\n' ;;
	*) summary+="$suite: FAILED"$'\n' status=1 ;;
	esac
done
echo "== summary"
printf %s "$summary"
exit "$status"

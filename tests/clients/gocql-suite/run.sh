#!/usr/bin/env bash
# Runs the integration tests that come with the Go driver, and compares what fails with expected.txt: a test that fails
# and is not there, and one that is there and passes, are both errors.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
need go
cd "$suite/../gocql"
go mod download
driver=$(go list -m -f '{{.Dir}}' github.com/apache/cassandra-gocql-driver/v2)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cp -R "$driver" "$work/driver"
chmod -R u+w "$work"
cd "$work/driver"
go test -c -tags 'cassandra integration' -o "$work/tests" .

status=0
for run in "3 snappy" "4 no-compression" "5 lz4"; do
	read -r version compression <<<"$run"
	"$ILIUM" start --set native_transport_port=0 --set data_directory="$work/data$version" >"$work/out" &
	server=$!
	for _ in $(seq 300); do
		grep -q ready "$work/out" && break
		sleep 0.1
	done
	address=$(sed -n 's/.* ms at \([^ ]*\) .*/\1/p' "$work/out")
	# In version 3, custom payloads make the driver panic.
	"$work/tests" -test.v -test.timeout 5m -cluster "$address" -proto "$version" -compressor "$compression" -autowait 200ms \
		-gocql.cversion 5.0.6 -test.skip "$([ "$version" -gt 3 ] || echo '^TestCustomPayload')" >"$work/log" 2>&1 || true
	kill "$server"
	wait "$server"
	server=
	tail -n 1 "$work/log" | grep -qx 'FAIL\|PASS' || { tail -n 40 "$work/log"; status=1; }
	# Where a part of a test fails, the part counts.
	grep -o '^ *--- FAIL: [^ ]*' "$work/log" | sed 's/.*FAIL: //' | sort >"$work/all"
	while read -r name; do grep -q "^$name/" "$work/all" || echo "$name"; done <"$work/all" >"$work/failed"
	awk -v v="$version" '!/^#/ && NF && index($1, v) { print $2 }' "$suite/expected.txt" | sort >"$work/expected"
	echo "version $version, $compression: $(grep -c '^--- PASS' "$work/log") passed, $(wc -l <"$work/failed") failed, $(grep -c '^--- SKIP' "$work/log") skipped by the driver's tests"
	if ! diff "$work/expected" "$work/failed" >"$work/diff"; then
		sed -n 's/^> /unexpected failure: /p; s/^< /unexpected pass: /p' "$work/diff"
		for name in $(sed -n 's/^> //p' "$work/diff"); do
			awk -v n="$name" '$0 ~ "^=== RUN" { on = $3 == n } on' "$work/log" | head -n 30
		done
		status=1
	fi
done
exit "$status"

package query

import (
	"strings"
	"testing"
	"time"
)

// TestClockFunctions looks at what differs from call to call, which no script can record.
func TestClockFunctions(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int PRIMARY KEY, u uuid, n timeuuid, d date)")
	execute(t, s, "INSERT INTO t (k, u, n, d) VALUES (1, uuid(), now(), current_date())")
	execute(t, s, "INSERT INTO t (k, u, n, d) VALUES (2, uuid(), now(), current_date())")
	before := time.Now().UTC().Add(-time.Minute).Format("2006-01-02 15:04:05+0000")
	rows := texts(execute(t, s, "SELECT u, n FROM t WHERE k IN (1, 2)").Rows)
	if len(rows) != 2 || rows[0] == rows[1] {
		t.Fatalf("rows %q", rows)
	}
	for _, row := range rows {
		parts := strings.Fields(row)
		if parts[0][14] != '4' || parts[1][14] != '1' {
			t.Errorf("uuid() and now() gave %q, of other versions than 4 and 1", row)
		}
	}
	if rows := texts(execute(t, s, "SELECT k FROM t WHERE n > min_timeuuid('"+before+"') AND n < now() ALLOW FILTERING").Rows); len(rows) != 2 {
		t.Errorf("%d of 2 times are between a minute ago and now", len(rows))
	}
	for _, row := range texts(execute(t, s, "SELECT now(), now() FROM t").Rows) {
		if parts := strings.Fields(row); parts[0] == parts[1] {
			t.Errorf("now() gave %s twice", parts[0])
		}
	}
}

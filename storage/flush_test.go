package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/storage/row"
)

// Compact leaves no deleted fragments behind: every key is there once.
func TestCompactGivesBackSpace(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	for version := range int64(levelZeroTables + 2) { // Badger merges files once there are so many
		m := mutation("pk")
		for i := range 2000 {
			insert(m, fmt.Sprintf("%08d", i), version, strings.Repeat("v", 20))
		}
		apply(t, e, m)
		if err := e.Compact(context.Background(), table7); err != nil {
			t.Fatal(err)
		}
	}
	prefix := row.AppendTable(nil, table7, row.Fragments)
	txn := e.db.NewTransactionAt(e.visible.Load(), false)
	defer txn.Discard()
	it := iterate(txn, prefix, true, false)
	defer it.Close()
	deleted := 0
	for it.Seek(prefix); it.Valid(); it.Next() {
		deleted++
	}
	if deleted > 0 {
		t.Errorf("%d versions of fragments are left", deleted)
	}
	rows := readAll(t, e, &Read{Incarnation: table7, Partition: prefixOf("pk")})
	if n := strings.Count(rows, strings.Repeat("v", 20)); n != 2000 {
		t.Errorf("%d rows are left", n)
	}
}

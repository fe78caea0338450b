package node_test

import (
	"fmt"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

func TestScanCAS(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "CREATE TABLE users (id int PRIMARY KEY, name text, age int)")
	insert := func() (bool, int, string) {
		t.Helper()
		var id, age int
		var name string
		applied, err := s.Query("INSERT INTO users (id, name, age) VALUES (?, ?, ?) IF NOT EXISTS", 1, "Ann", 30).
			SerialConsistency(consistency.LocalSerial).ScanCAS(t.Context(), &id, &age, &name)
		if err != nil {
			t.Fatal(err)
		}
		return applied, age, name
	}
	if applied, age, name := insert(); !applied || age != 0 || name != "" {
		t.Error(applied, age, name)
	}
	if applied, age, name := insert(); applied || age != 30 || name != "Ann" {
		t.Error(applied, age, name)
	}
	update := s.Query("UPDATE users SET age = 31 WHERE id = 1 IF name = ? AND age > ?", "Ann", 30)
	applied, present, err := update.MapScanCAS(t.Context())
	if got := fmt.Sprint(applied, present, err); got != "false map[age:30 name:Ann] <nil>" {
		t.Error(got)
	}
	applied, present, err = s.Query("DELETE FROM users WHERE id = 2 IF EXISTS").MapScanCAS(t.Context())
	if applied || present != nil || err != nil {
		t.Error(applied, present, err)
	}
	for _, text := range []string{"UPDATE users SET age = 1 WHERE id = 1", "SELECT * FROM users", "SELECT * FROM users WHERE id = 7"} {
		if _, err := s.Query(text).ScanCAS(t.Context()); err == nil {
			t.Errorf("%s has conditions", text)
		}
	}
	_, err = s.Query("INSERT INTO users (id) VALUES (1) IF NOT EXISTS").SerialConsistency(consistency.Quorum).ScanCAS(t.Context())
	checkError(t, err, "Must be one of SERIAL or LOCAL_SERIAL")
}

func TestBatchCAS(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "CREATE TABLE seats (room int, seat int, guest text, PRIMARY KEY (room, seat))")
	book := func(guest string, seats ...int) string {
		t.Helper()
		b := s.Batch().SerialConsistency(consistency.Serial)
		for _, seat := range seats {
			b.AddText("INSERT INTO seats (room, seat, guest) VALUES (1, ?, ?) IF NOT EXISTS", seat, guest)
		}
		applied, rows, err := b.ExecCAS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		out := fmt.Sprint(applied)
		for rows.Next() {
			row, err := rows.ScanMap()
			if err != nil {
				t.Fatal(err)
			}
			out += fmt.Sprint(" ", row)
		}
		return out
	}
	for _, test := range []struct{ got, want string }{
		{book("Ann", 1, 2), "true"},
		{book("Bob", 2, 3), "false map[[applied]:false guest:Ann room:1 seat:2]"},
		{book("Bob", 3, 4), "true"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
	if _, _, err := s.Batch().AddText("INSERT INTO seats (room, seat) VALUES (1, 9)").ExecCAS(t.Context()); err == nil {
		t.Error("the batch has conditions")
	}
}

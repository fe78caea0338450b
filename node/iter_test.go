package node_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/node"
)

func TestScan(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "INSERT INTO t (k, v) VALUES (1, 'a')")
	rows := s.Query("SELECT k, v FROM t").Iter(t.Context())
	checkError(t, rows.Scan(new(int), new(string)), "no row")
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	var k int
	var v string
	if err := rows.Scan(nil, &v); err != nil || v != "a" {
		t.Errorf("v is %q, error %v", v, err)
	}
	if err := rows.Scan(&k, nil); err != nil || k != 1 { // a row may be looked at again
		t.Errorf("k is %d, error %v", k, err)
	}
	checkError(t, rows.Scan(&k), "the row has 2 columns, and 1 destinations were given")
	checkError(t, rows.Scan(&k, &v, &v), "the row has 2 columns, and 3 destinations were given")
	if rows.Next() {
		t.Error("there is a second row")
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
}

// Every way to look at a row says so when there is none.
func TestNoRowAtHand(t *testing.T) {
	s := keyValue(t)
	exec(t, s, "INSERT INTO t (k, v) VALUES (1, 'a')")
	check := func(when string, rows *node.Iter) {
		t.Helper()
		_, mapErr := rows.ScanMap()
		for what, err := range map[string]error{
			"Scan":       rows.Scan(new(int), new(string)),
			"ScanStruct": rows.ScanStruct(&struct{ K, V string }{}),
			"ScanMap":    mapErr,
		} {
			if err == nil || !strings.Contains(err.Error(), "no row") {
				t.Errorf("%s %s: error %v", what, when, err)
			}
		}
		if rows.Raw() != nil {
			t.Errorf("Raw %s: %q", when, rows.Raw())
		}
	}
	rows := s.Query("SELECT k, v FROM t").Iter(t.Context())
	check("before Next", rows)
	rows.Next()
	rows.Next()
	check("after the last row", rows)

	rows = s.Query("SELECT k, v FROM t").Iter(t.Context())
	rows.Next()
	rows.Close()
	check("after Close", rows)
	if rows.Next() {
		t.Error("Next goes on after Close")
	}
	check("after an error", s.Query("SELECT k, v FROM missing").Iter(t.Context()))
	check("of a modification", s.Query("INSERT INTO t (k) VALUES (2)").Iter(t.Context()))
}

func TestScanStruct(t *testing.T) {
	s := newSession(t)
	exec(t, s, "CREATE TABLE people (user_id int PRIMARY KEY, full_name text, age int, likes set<text>)")
	exec(t, s, "INSERT INTO people (user_id, full_name, likes) VALUES (1, 'Ada', {'yarn'})")

	type person struct {
		UserID   int64  // user_id, letter case and underscores aside
		Name     string `cql:"full_name"`
		FullName string `cql:"nickname"` // the tag says that it is not full_name
		Age      *int
		Likes    []string
		hidden   int
		Extra    string // fields may be more than columns
	}
	want := person{UserID: 1, Name: "Ada", Likes: []string{"yarn"}, hidden: 7, Extra: "kept"}
	got := person{hidden: 7, Extra: "kept", Age: ptr(3)}
	rows := s.Query("SELECT * FROM people").Iter(t.Context())
	defer rows.Close()
	rows.Next()
	if err := rows.ScanStruct(&got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v and error %v, want %+v", got, err, want)
	}

	check := func(dest any, want string) {
		t.Helper()
		checkError(t, rows.ScanStruct(dest), want)
	}
	check(&struct{ UserID, FullName, Age int }{}, "column full_name: cannot decode text into int")
	check(&struct {
		UserID, Age int
		FullName    string
	}{}, "has no field for column likes")
	check(&struct {
		UserID int `cql:"other"`
	}{}, "has no field for column user_id")
	check(&struct{ userID int }{}, "has no field for column") // fields that are not exported do not count
	check(person{}, "ScanStruct takes a pointer to a struct, not node_test.person")
	check((*person)(nil), "ScanStruct takes a pointer to a struct")
	check(new(int), "ScanStruct takes a pointer to a struct, not *int")
	check(nil, "ScanStruct takes a pointer to a struct, not <nil>")
}

func TestScanMap(t *testing.T) {
	s := newSession(t)
	execAll(t, s, `CREATE TABLE m (k int PRIMARY KEY, "Mixed" text, empty text)`, `INSERT INTO m (k, "Mixed") VALUES (1, 'a')`)
	rows := s.Query(`SELECT k, "Mixed", empty, "Mixed" AS again, count(*) FROM m`).Iter(t.Context())
	defer rows.Close()
	rows.Next()
	got, err := rows.ScanMap()
	want := map[string]any{"k": int32(1), "Mixed": "a", "empty": nil, "again": "a", "count": int64(1)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v and error %v, want %#v", got, err, want)
	}
}

func TestColumns(t *testing.T) {
	s := keyValue(t)
	rows := s.Query("SELECT v, k AS id FROM t").Iter(t.Context())
	var got []string
	for _, c := range rows.Columns() {
		got = append(got, fmt.Sprintf("%s %s", c.Name, c.Type))
	}
	if want := []string{"v text", "id int"}; !slices.Equal(got, want) {
		t.Errorf("columns %q, want %q", got, want)
	}
	rows.Close()
	if rows.Columns() != nil {
		t.Error("there are columns after Close")
	}
}

// Warnings of all pages are kept.
func TestWarnings(t *testing.T) {
	cfg := settings(t.TempDir())
	cfg.TombstoneWarnThreshold = 5
	n, err := node.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	execAll(t, s, "USE ks", "CREATE TABLE wide (p int, c int, PRIMARY KEY (p, c))")
	fill(t, s, "INSERT INTO wide (p, c) VALUES (1, ?)", 30)
	for c := range 30 {
		if c != 10 && c != 20 {
			exec(t, s, "DELETE FROM wide WHERE p = 1 AND c = ?", c)
		}
	}
	rows := s.Query("SELECT c FROM wide").PageSize(1).Iter(t.Context())
	defer rows.Close()
	for rows.Next() {
		continue
	}
	if got := rows.Warnings(); len(got) != 2 || !strings.Contains(got[0], "tombstone cells for a query on ks.wide") {
		t.Errorf("warnings %q, want one for each of 2 pages", got)
	}
}

// manyRows is more than one page of any size that the settings allow.
const manyRows = 10_500

// wideTable creates a table with one partition of manyRows rows, numbered from 0.
func wideTable(t testing.TB, s *node.Session) {
	t.Helper()
	exec(t, s, "CREATE TABLE ks.wide (p int, c int, PRIMARY KEY (p, c))")
	fill(t, s, "INSERT INTO ks.wide (p, c) VALUES (1, ?)", manyRows)
}

// checkNumbers wants the rows numbered from first on, and returns the number after the last.
func checkNumbers(t testing.TB, rows *node.Iter, first, limit int) int {
	t.Helper()
	next := first
	for next < limit && rows.Next() {
		var c int
		if err := rows.Scan(&c); err != nil {
			t.Fatal(err)
		}
		if c != next {
			t.Fatalf("row %d comes where row %d belongs", c, next)
		}
		next++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return next
}

func TestPaging(t *testing.T) {
	s := newSession(t)
	wideTable(t, s)
	check := func(text string, pageSize, want int) {
		t.Helper()
		rows := s.Query(text).PageSize(pageSize).Iter(t.Context())
		defer rows.Close()
		if got := checkNumbers(t, rows, 0, manyRows+1); got != want {
			t.Errorf("%s in pages of %d: %d rows, want %d", text, pageSize, got, want)
		}
	}
	for _, pageSize := range []int{0, 100, 5000, manyRows - 1, manyRows, manyRows + 1} {
		check("SELECT c FROM wide WHERE p = 1", pageSize, manyRows)
		check("SELECT c FROM wide", pageSize, manyRows)
	}
	for _, pageSize := range []int{1, 3, 49, 50, 51} {
		check("SELECT c FROM wide WHERE p = 1 LIMIT 50", pageSize, 50)
		check("SELECT c FROM wide WHERE p = 1 AND c < 50", pageSize, 50)
	}
}

// The page state carries over to a node that was stopped and started, and to a new query.
func TestPagingAcrossRestart(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	s := n.Session()
	createKeyspace(t, s, "ks", "1")
	wideTable(t, s)
	const pageSize = 4000
	next, state := 0, []byte(nil)
	for page := 0; page == 0 || state != nil; page++ {
		rows := n.Session().Query("SELECT c FROM ks.wide WHERE p = 1").PageSize(pageSize).PageState(state).Iter(t.Context())
		if rows.PageLeft() != min(pageSize, manyRows-next) {
			t.Errorf("page %d has %d rows", page, rows.PageLeft())
		}
		next = checkNumbers(t, rows, next, next+rows.PageLeft())
		state = slices.Clone(rows.PageState())
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		stop(t, n)
		n = start(t, dir)
	}
	stop(t, n)
	if next != manyRows {
		t.Errorf("%d rows, want %d", next, manyRows)
	}
}

func TestPageStateIsChecked(t *testing.T) {
	s := newSession(t)
	execAll(t, s, "CREATE TABLE wide (p int, c int, PRIMARY KEY (p, c))")
	fill(t, s, "INSERT INTO wide (p, c) VALUES (1, ?)", 10)
	rows := s.Query("SELECT c FROM wide").PageSize(4).Iter(t.Context())
	state := slices.Clone(rows.PageState())
	rows.Close()
	for i := range state {
		damaged := slices.Clone(state)
		damaged[i] ^= 0x10
		checkError(t, s.Query("SELECT c FROM wide").PageState(damaged).Exec(t.Context()), "paging state")
	}
	checkError(t, s.Query("SELECT c FROM wide").PageState([]byte("x")).Exec(t.Context()), "paging state")
}

// A query may be carried out again, and starts where it started the first time.
func TestQueryIsReused(t *testing.T) {
	s := newSession(t)
	execAll(t, s, "CREATE TABLE wide (p int, c int, PRIMARY KEY (p, c))")
	fill(t, s, "INSERT INTO wide (p, c) VALUES (1, ?)", 10)
	q := s.Query("SELECT c FROM wide WHERE p = ?", 1).PageSize(3)
	for range 2 {
		rows := q.Iter(t.Context())
		if got := checkNumbers(t, rows, 0, 11); got != 10 {
			t.Errorf("%d rows, want 10", got)
		}
		rows.Close()
	}
	first, second := q.Iter(t.Context()), q.Iter(t.Context()) // two at once do not mix
	if got := checkNumbers(t, second, checkNumbers(t, first, 0, 5)-5, 11); got != 10 {
		t.Errorf("%d rows, want 10", got)
	}
	if got := checkNumbers(t, first, 5, 11); got != 10 {
		t.Errorf("%d rows, want 10", got)
	}
}

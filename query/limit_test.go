package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
)

// wideSession has 40 rows of a thousand bytes in 4 partitions, and a node that gathers few of them.
func wideSession(t *testing.T) *Session {
	s := newSession(t, Options{PageBytes: 3500, ResultBytes: 12_000}, "CREATE TABLE t (k int, c int, v blob, PRIMARY KEY (k, c))")
	p := prepare(t, s, "INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
	for i := range 40 {
		values := []plan.Value{number(i / 10), number(i % 10), {Bytes: make([]byte, 1000)}}
		if _, err := s.ExecutePrepared(context.Background(), p, &Parameters{Consistency: consistency.One, Values: values}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// pageCounts reads all pages of a query, and returns how many rows each has.
func pageCounts(t *testing.T, s *Session, text string, size int) (counts []int) {
	t.Helper()
	parameters := &Parameters{Consistency: consistency.One, PageSize: size}
	for {
		result, err := s.Execute(t.Context(), text, parameters)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		counts = append(counts, result.Rows.Count)
		if parameters.PagingState = result.Rows.PagingState; parameters.PagingState == nil {
			return counts
		}
	}
}

func TestPagesAreBoundedInBytes(t *testing.T) {
	s := wideSession(t)
	for _, c := range []struct {
		text string
		size int
		want string
	}{
		{"SELECT v FROM t", 100, "[4 4 4 4 4 4 4 4 4 4]"},
		{"SELECT v FROM t", 3, "[3 3 3 3 3 3 3 3 3 3 3 3 3 1]"},
		{"SELECT c FROM t", 100, "[40]"},
		{"SELECT v FROM t WHERE k = 1 ORDER BY c DESC", 100, "[4 4 2]"},
		{"SELECT v FROM t WHERE k = 1 LIMIT 4", 100, "[4]"},
		{"SELECT v FROM t LIMIT 9", 100, "[4 4 1]"},
		{"SELECT v FROM t WHERE k IN (1, 2) PER PARTITION LIMIT 3", 100, "[4 2]"},
		{"SELECT count(*) FROM t", 100, "[1]"},
		{"SELECT v, count(*) FROM t GROUP BY k, c", 100, "[5 5 5 5 5 5 5 5]"},
		{"SELECT k, count(*) FROM t GROUP BY k, c", 100, "[40]"},
	} {
		if got := fmt.Sprint(pageCounts(t, s, c.text, c.size)); got != c.want {
			t.Errorf("%s in pages of %d: %s, want %s", c.text, c.size, got, c.want)
		}
	}
}

func TestUnpagedResultsAreBounded(t *testing.T) {
	s := wideSession(t)
	for _, text := range []string{"SELECT v FROM t", "SELECT * FROM t WHERE k IN (1, 2)", "SELECT * FROM t WHERE k IN (1, 2) ORDER BY c",
		"SELECT v, count(*) FROM t GROUP BY k, c"} {
		_, err := s.Execute(t.Context(), text, &Parameters{Consistency: consistency.One})
		large, ok := errors.AsType[*ResultTooLargeError](err)
		if !ok || large.Limit != 12_000 || !strings.Contains(err.Error(), "ks.t is larger than 12000 bytes") || !strings.Contains(err.Error(), "paging") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"SELECT v FROM t WHERE k = 1":                                        "[10]",
		"SELECT v FROM t WHERE k IN (1, 2) LIMIT 11":                         "[11]",
		"SELECT v FROM t WHERE k IN (1, 2) ORDER BY c PER PARTITION LIMIT 5": "[10]",
		"SELECT c FROM t":        "[40]",
		"SELECT count(v) FROM t": "[1]",
	} {
		if got := fmt.Sprint(pageCounts(t, s, text, 0)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestLargeRowIsReturned: what is larger than the limits alone is a result all the same.
func TestLargeRowIsReturned(t *testing.T) {
	s := newSession(t, Options{PageBytes: 100, ResultBytes: 500}, "CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c))")
	for i := range 2 {
		execute(t, s, fmt.Sprintf("INSERT INTO t (k, c, v) VALUES (1, %d, '%s')", i, strings.Repeat("v", 1000)))
	}
	if got := fmt.Sprint(pageCounts(t, s, "SELECT v FROM t WHERE k = 1 LIMIT 1", 0)); got != "[1]" {
		t.Error(got)
	}
	if got := fmt.Sprint(pageCounts(t, s, "SELECT v FROM t", 10)); got != "[1 1]" {
		t.Error(got)
	}
}

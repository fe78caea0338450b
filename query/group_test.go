package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// allGroups reads a statement page by page.
func allGroups(t *testing.T, s *Session, text string, size int) []string {
	t.Helper()
	parameters := &Parameters{Consistency: consistency.One, PageSize: size}
	var all []string
	for {
		result, err := s.Execute(context.Background(), text, parameters)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if size > 0 && result.Rows.Count > size {
			t.Fatalf("%s: a page of %d has %d rows", text, size, result.Rows.Count)
		}
		all = append(all, texts(result.Rows)...)
		if parameters.PagingState = result.Rows.PagingState; parameters.PagingState == nil {
			return all
		}
	}
}

// TestGroupsInPages compares groups, with limits and in pages of all sizes, with those that the rows make.
func TestGroupsInPages(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int, a int, b int, v int, s int STATIC, PRIMARY KEY (k, a, b))")
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		execute(t, s, fmt.Sprintf("INSERT INTO t (k, a, b, v) VALUES (%d, %d, %d, %d)", rng.IntN(4), rng.IntN(4), rng.IntN(4), rng.IntN(100)))
	}
	execute(t, s, "INSERT INTO t (k, s) VALUES (9, 1)")
	for _, where := range []string{"", " WHERE k IN (0, 1, 2, 9)", " WHERE k = 1 AND a IN (0, 1, 2)"} {
		for _, by := range []string{"k", "k, a", "k, a, b"} {
			whole := allGroups(t, s, "SELECT k, a, b, count(*), sum(v), max(v) - min(v) FROM t"+where+" GROUP BY "+by, 0)
			for _, perPartition := range []int{0, 1, 2, 3} {
				for _, limit := range []int{0, 1, 3, 7} {
					want := limitGroups(whole, perPartition, limit)
					text := "SELECT k, a, b, count(*), sum(v), max(v) - min(v) FROM t" + where + " GROUP BY " + by
					if perPartition > 0 {
						text += fmt.Sprintf(" PER PARTITION LIMIT %d", perPartition)
					}
					if limit > 0 {
						text += fmt.Sprintf(" LIMIT %d", limit)
					}
					for size := range 6 {
						if got := allGroups(t, s, text, size); !slices.Equal(got, want) {
							t.Fatalf("%s in pages of %d:\n%q\nwant\n%q", text, size, got, want)
						}
					}
				}
			}
		}
	}
}

// limitGroups applies limits to rows that begin with the partition's key.
func limitGroups(rows []string, perPartition, limit int) []string {
	var out []string
	seen := map[string]int{}
	for _, r := range rows {
		if limit > 0 && len(out) == limit {
			break
		}
		if seen[r[:1]]++; perPartition == 0 || seen[r[:1]] <= perPartition {
			out = append(out, r)
		}
	}
	return out
}

// TestGroupsAreThoseOfTheRows sums rows up by hand.
func TestGroupsAreThoseOfTheRows(t *testing.T) {
	s := newSession(t, Options{}, "CREATE TABLE t (k int, a int, b int, v int, PRIMARY KEY (k, a, b))")
	sums := map[int]int{}
	for i := range 40 {
		a := i * 7 % 5
		execute(t, s, fmt.Sprintf("INSERT INTO t (k, a, b, v) VALUES (1, %d, %d, %d)", a, i, i*i))
		sums[a] += i * i
	}
	got := allGroups(t, s, "SELECT a, sum(v) FROM t WHERE k = 1 GROUP BY k, a", 2)
	for i, row := range got {
		if want := fmt.Sprintf("%d %d", i, sums[i]); row != want {
			t.Errorf("group %d is %q, want %q", i, row, want)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d groups, want 5", len(got))
	}
}

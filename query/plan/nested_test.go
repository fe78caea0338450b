package plan_test

import (
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/query/plan"
)

// TestNestedExpressionsArePlannedOnce plans expressions in which trying every signature at every level would take
// forever.
func TestNestedExpressionsArePlannedOnce(t *testing.T) {
	s := inbox(t)
	for _, text := range []string{
		"INSERT INTO t (k, c, d, v) VALUES (1, 1, 'a', 1" + strings.Repeat(" + 1", 100) + ")",
		"INSERT INTO t (k, c, d, v) VALUES (1, 1, 'a', " + strings.Repeat("abs(", 20) + "1" + strings.Repeat(")", 20) + ")",
		"SELECT " + strings.Repeat("abs(1 + ", 20) + "v" + strings.Repeat(")", 20) + " FROM t",
		"SELECT v" + strings.Repeat(" * 2 - v", 100) + " FROM t",
		"SELECT " + strings.Repeat("to_json([", 15) + "v" + strings.Repeat("])", 15) + " FROM t",
		"SELECT " + strings.Repeat("CAST(", 15) + "v" + strings.Repeat(" AS text)", 15) + " FROM t",
	} {
		parsed, err := grammar.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := plan.Make(s, "ks", parsed); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

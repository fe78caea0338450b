package shell

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/tests/nodes"
)

func TestMain(m *testing.M) { nodes.Main(m) }

// A terminal runs `ilium cql` again and again on one data directory.
type terminal struct {
	config config.Config
}

func newTerminal(t testing.TB) *terminal {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.PageSize = t.TempDir(), 64*config.MiB, 3
	return &terminal{cfg}
}

// run runs the command with statements as arguments or as its input.
func (u *terminal) run(t testing.TB, input string, arguments ...string) (string, error) {
	t.Helper()
	c := CQLCommand(func(ctx context.Context) (*node.Node, error) { return node.Start(ctx, u.config) })
	var out strings.Builder
	c.SetIn(strings.NewReader(input))
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(append([]string{}, arguments...)) // nil would be the arguments of the test
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// show wants what a run prints, and that it succeeds.
func (u *terminal) show(t testing.TB, want, input string, arguments ...string) {
	t.Helper()
	got, err := u.run(t, input, arguments...)
	if err != nil {
		t.Errorf("error %v", err)
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

const createTable = `
	CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
	CREATE TABLE ks.t (p int, c int, v text, "Mixed" frozen<map<text, int>>, PRIMARY KEY (p, c));`

func TestTables(t *testing.T) {
	u := newTerminal(t)
	u.show(t, "", createTable)
	u.show(t, `
 p | c | Mixed | v
---+---+-------+---


(0 rows)
`, "SELECT * FROM ks.t")
	u.show(t, "", `
		INSERT INTO ks.t (p, c, v, "Mixed") VALUES (1, 1, 'short', {'a': 1, 'b': 2});
		INSERT INTO ks.t (p, c, v) VALUES (1, 20, 'rather ''long''');
		INSERT INTO ks.t (p, c, v) VALUES (1, 300, 'two
lines');
		INSERT INTO ks.t (p, c, v) VALUES (1, 4000, 'größer');
		INSERT INTO ks.t (p, c) VALUES (1, -5)`)
	u.show(t, `
 p | c  | Mixed            | v
---+----+------------------+---------------
 1 | -5 |             null |          null
 1 |  1 | {'a': 1, 'b': 2} |         short
 1 | 20 |             null | rather 'long'
 1 |  300 |  null | two\nlines
 1 | 4000 |  null |     größer

(5 rows)
`, "SELECT * FROM ks.t")
	u.show(t, `
 n
---
 5

(1 rows)
`, "", "SELECT count(*) AS n FROM ks.t WHERE p = 1")
}

func TestInput(t *testing.T) {
	u := newTerminal(t)
	u.show(t, "", createTable)
	const want = `
 v
-----------------
 ; -- no comment

(1 rows)

 v
-----------------
 ; -- no comment

(1 rows)
`
	u.show(t, want, `
		-- Strings; comments; several statements in a line.
		USE ks; INSERT INTO t (p, c, v) VALUES (1, 1, '; -- no comment'); /* SELECT; */ SELECT v FROM t;
		SELECT v
		FROM t -- the keyspace of USE is still there;
		;`)
	u.show(t, want, "", "USE ks; SELECT v FROM t", "SELECT v FROM t;") // arguments may hold several too
	u.show(t, "\n v\n---\n a\n b\n\n(2 rows)\n", `
		BEGIN BATCH
			INSERT INTO ks.t (p, c, v) VALUES (2, 1, 'a');
			INSERT INTO ks.t (p, c, v) VALUES (2, 2, 'b');
		APPLY BATCH;
		SELECT v FROM ks.t WHERE p = 2`)
	u.show(t, "", "  \n-- nothing\n")
}

func TestErrors(t *testing.T) {
	u := newTerminal(t)
	u.show(t, "", createTable)
	check := func(input, want, wantOutput string) {
		t.Helper()
		got, err := u.run(t, input)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		if got != wantOutput {
			t.Errorf("got\n%s\nwant\n%s", got, wantOutput)
		}
	}
	check("SELECT FORM ks.t", "line 1:", "")
	check("\n\nSELECT v FROM ks.missing;", "table missing does not exist", "")
	check("SELECT v FROM ks.t WHERE p = 'x';", "Invalid STRING constant", "")
	check("SELECT v FROM ks.t; SELECT 'open;\n", "line 1:", "\n v\n---\n\n\n(0 rows)\n")
	// Nothing is carried out behind an error.
	check("INSERT INTO ks.t (p, c, v) VALUES (1, 1, 'before'); INSERT INTO ks.t; INSERT INTO ks.t (p, c, v) VALUES (1, 2, 'behind');", "line 1:", "")
	u.show(t, "\n v\n--------\n before\n\n(1 rows)\n", "SELECT v FROM ks.t")

	locked, err := node.Start(t.Context(), u.config)
	if err != nil {
		t.Fatal(err)
	}
	check("SELECT v FROM ks.t", "another process is using the data directory", "")
	if err := locked.Stop(); err != nil {
		t.Error(err)
	}
}

func TestWarnings(t *testing.T) {
	u := newTerminal(t)
	u.config.TombstoneWarnThreshold, u.config.BatchSizeWarnThreshold = 2, 1
	u.show(t, "", createTable)
	got, err := u.run(t, "BEGIN BATCH INSERT INTO ks.t (p, c) VALUES (1, 1); INSERT INTO ks.t (p, c) VALUES (1, 2); APPLY BATCH")
	if err != nil || !strings.HasPrefix(got, "\nWarnings :\nBatch is of size ") {
		t.Errorf("got %s and error %v, want a warning", got, err)
	}
	u.show(t, `
 c
---
 9

(1 rows)

Warnings :
Read 1 live rows and 3 tombstone cells for a query on ks.t (see tombstone_warn_threshold)

`, `
		INSERT INTO ks.t (p, c) VALUES (1, 9);
		DELETE FROM ks.t WHERE p = 1 AND c = 1; DELETE FROM ks.t WHERE p = 1 AND c = 2; DELETE FROM ks.t WHERE p = 1 AND c = 3;
		SELECT c FROM ks.t WHERE p = 1`)
}

// The schema may change between two pages.
func TestColumnsChangeBetweenPages(t *testing.T) {
	u := newTerminal(t)
	n, err := node.Start(t.Context(), u.config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s := n.Session()
	var setup strings.Builder
	for _, statement := range []string{createTable, "USE ks; CREATE TABLE u (k int, c int, PRIMARY KEY (k, c));",
		"INSERT INTO u (k, c) VALUES (1, 1); INSERT INTO u (k, c) VALUES (1, 2); INSERT INTO u (k, c) VALUES (1, 3); INSERT INTO u (k, c) VALUES (1, 4);"} {
		if err := runAll(t.Context(), s, strings.NewReader(statement), &setup); err != nil {
			t.Fatal(err)
		}
	}
	out := &altering{session: s}
	if err := Run(t.Context(), s, "SELECT * FROM u WHERE k = 1", out); err != nil {
		t.Fatal(err)
	}
	const want = "\n k | c\n---+---\n 1 | 1\n 1 | 2\n 1 | 3\n k | c | added\n---+---+-------\n 1 | 4 |  null\n\n(4 rows)\n"
	if out.String() != want || out.err != nil {
		t.Errorf("got\n%s\nand error %v, want\n%s", out.String(), out.err, want)
	}
}

// An altering output adds a column to the table u when it is first written to.
type altering struct {
	strings.Builder
	session *node.Session
	err     error
}

func (a *altering) Write(p []byte) (int, error) {
	if a.Len() == 0 {
		a.err = a.session.Query("ALTER TABLE u ADD added text").Exec(context.Background())
	}
	return a.Builder.Write(p)
}

func TestCanceled(t *testing.T) {
	u := newTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := CQLCommand(func(ctx context.Context) (*node.Node, error) {
		defer cancel() // the user gives up while the node starts
		return node.Start(ctx, u.config)
	})
	c.SetArgs([]string{createTable})
	c.SilenceUsage, c.SilenceErrors = true, true
	if err := c.ExecuteContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

package shell

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/wire/cql/client"
)

// typeIn runs an interactive shell for someone who types keys, and returns what the terminal shows.
func typeIn(t *testing.T, earlier *history, keys ...string) string {
	t.Helper()
	address := serve(t)
	in, typed := io.Pipe()
	defer typed.Close()
	go func() {
		for _, k := range keys {
			if _, err := io.WriteString(typed, k); err != nil {
				return
			}
		}
	}()
	s, out := connected(t, address, "")
	s.terminal = true
	e := newEditor(t.Context(), in, out, earlier)
	s.askPassword = e.password
	if err := s.interact(t.Context(), e, earlier); err != nil {
		t.Error(err)
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n")
}

func TestInteractive(t *testing.T) {
	got := typeIn(t, &history{}, "PAGING 2\r", "USE system_schema;\r", "SELECT table_name\r", "FROM tables\r",
		"WHERE keyspace_name = 'system_traces';\r", "SELECT table_name FROM tables WHERE keyspace_name = 'system_schema';\r", "\x03",
		"SELECT 'open\r", "\x03", "CLEAR\r", "\x04")
	for _, want := range []string{
		"ilium> PAGING 2\nPage size: 2\n",
		"ilium> USE system_schema;\nilium:system_schema> SELECT table_name\n                 ... FROM tables\n",
		" table_name\n------------\n     events\n   sessions\n\n(2 rows)\n",
		" table_name\n--------------\n   aggregates\n column_masks\n\n---MORE---^C\n(2 rows)\nilium:system_schema> ",
		"ilium:system_schema> SELECT 'open\n                 ... ^C\nilium:system_schema> ",
		"\x1b[H\x1b[2J",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the terminal shows\n%s\nwithout %q", got, want)
		}
	}
}

func TestInterruptedLine(t *testing.T) {
	got := typeIn(t, &history{}, "SELECT garbage\x03", "SHOW\tHOST\r", "EXIT\r")
	if !strings.Contains(got, "^C\n") || strings.Contains(got, "Exception") || !strings.Contains(got, "Connected to") {
		t.Errorf("the terminal shows\n%s\nwant the line dropped, and a command with a tab carried out", got)
	}
}

// The line editor would drop the end without a word.
func TestLongLine(t *testing.T) {
	long := "SELECT key FROM system.local WHERE key = '" + strings.Repeat("x", maxTypedLine) + "';"
	h := &history{}
	got := typeIn(t, h, "SELECT key\r", long+"\r", "SHOW HOST\r", "EXIT\r")
	if !strings.Contains(got, "this one was dropped") || strings.Contains(got, "Exception") || !strings.Contains(got, "Connected to") {
		t.Errorf("the terminal shows\n%s\nwant the line refused, and the statement with it", got)
	}
	if !slices.Equal(h.entries, []string{"SHOW HOST", "EXIT"}) {
		t.Errorf("kept %q", h.entries)
	}
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h, err := loadHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	got := typeIn(t, h, "CONSISTENCY\r", "SELECT key\rFROM system.local;\r", "LOGIN ada\r", "secret\r",
		"CREATE ROLE r WITH password = 'secret';\r", "\x1b[A\r", "\x1b[A\x1b[A\r", "\x04")
	if strings.Contains(strings.ReplaceAll(got, "'secret'", ""), "secret") {
		t.Errorf("the terminal shows the password of LOGIN:\n%s", got)
	}
	if n := strings.Count(got, "(1 rows)"); n != 2 {
		t.Errorf("%d results, want one more from the history:\n%s", n, got)
	}
	again, err := loadHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"CONSISTENCY", "SELECT key FROM system.local;", "CONSISTENCY"}; !slices.Equal(again.entries, want) {
		t.Errorf("kept %q, want %q", again.entries, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, error %v, want one that nobody else can read", info, err)
	}
}

// What is taken from the history does what it did before.
func TestOneLine(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT a -- it's\n, b // c\r\nFROM t;": "SELECT a  , b   FROM t;",
		"SELECT /* a\n b */ '--'\nFROM t;":      "SELECT /* a  b */ '--' FROM t;",
		"PAGING -- 7":                           "PAGING",
		"SELECT 'a\nb';":                        "",
		"SELECT \"a\nb\";":                      "",
		"SELECT $$a\nb$$;":                      "",
	} {
		if got := oneLine(statement); got != want {
			t.Errorf("%q became %q, want %q", statement, got, want)
		}
	}
}

func TestHistoryIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(path, []byte(strings.Repeat("old;\n", 2*maxHistory)+"new;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h, err := loadHistory(path)
		if err != nil || h.Len() != maxHistory || h.At(0) != "new;" {
			t.Errorf("%d entries, error %v", h.Len(), err)
		}
	}
}

func TestKeysEndWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	defer typed.Close()
	e := newEditor(ctx, in, io.Discard, &history{})
	restored := false
	e.raw = func() (func() error, error) { return func() error { restored = true; return nil }, nil }
	cancel()
	if _, err := e.line("> "); !errors.Is(err, context.Canceled) || !restored {
		t.Errorf("error %v, restored %v, want the end of the context and a terminal set back", err, restored)
	}
}

func TestLoginThatFails(t *testing.T) {
	address := serve(t)
	s, out := connected(t, address, "system")
	before, dial := s.conn, s.dial
	s.dial = func(context.Context, string, string, string) (*client.Conn, error) {
		return nil, errors.New("wrong password")
	}
	s.run(t.Context(), "LOGIN ada 'x'")
	if s.conn != before || s.username != "" || !strings.Contains(out.String(), "wrong password") {
		t.Errorf("got %s as %q, want the old connection", out, s.username)
	}
	s.dial = dial
	s.lost = errors.New("the connection was lost")
	s.run(t.Context(), "LOGIN ada 'x'")
	if s.conn == before || s.lost != nil || s.prompt(false) != "ada@ilium:system> " || s.prompt(true) != "              ... " {
		t.Errorf("prompts %q and %q, want those of the new connection", s.prompt(false), s.prompt(true))
	}
}

package workload

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/tests/nodes"
	"github.com/iliumdb/ilium/workload/inbox"
)

func TestMain(m *testing.M) { nodes.Main(m) }

// A terminal runs `ilium workload` again and again on one data directory.
type terminal struct {
	data string
	out  strings.Builder // of the last run
	err  strings.Builder
}

func newTerminal(t testing.TB) *terminal { return &terminal{data: t.TempDir()} }

func (u *terminal) start(ctx context.Context) (*node.Node, error) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory = u.data, 64*config.MiB
	return node.Start(ctx, cfg)
}

// run runs `workload inbox` with arguments.
func (u *terminal) run(ctx context.Context, arguments ...string) error {
	u.out.Reset()
	u.err.Reset()
	return execute(ctx, Command(u.start), &u.out, &u.err, append([]string{"inbox"}, arguments...)...)
}

func execute(ctx context.Context, c *cobra.Command, out, err io.Writer, arguments ...string) error {
	c.SetOut(out)
	c.SetErr(err)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(arguments)
	return c.ExecuteContext(ctx)
}

// show runs a command and wants what it prints, with # for every number that is measured.
func (u *terminal) show(t testing.TB, want string, arguments ...string) {
	t.Helper()
	if err := u.run(t.Context(), arguments...); err != nil {
		t.Fatalf("%q: %v", arguments, err)
	}
	if got := masked(u.out.String()); got != want {
		t.Errorf("%q prints\n%s\nwant\n%s", arguments, got, want)
	}
}

// measured are the numbers that differ from run to run.
var measured = regexp.MustCompile(`\d+(\.\d+)? (s \(\d+ postings/s\)|s\b|ms\b|postings/s)`)

func masked(text string) string {
	return measured.ReplaceAllStringFunc(text, func(s string) string {
		return regexp.MustCompile(`\d+(\.\d+)?`).ReplaceAllString(s, "#")
	})
}

// refuse wants a command to fail.
func (u *terminal) refuse(t testing.TB, want string, arguments ...string) {
	t.Helper()
	err := u.run(t.Context(), arguments...)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q: error %v, want %s", arguments, err, want)
	}
	if u.out.Len() > 0 {
		t.Errorf("%q prints %.200s", arguments, u.out.String())
	}
}

// files writes files below a new directory and returns the directory.
func files(t testing.TB, content map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range content {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const jsonLines = `{"id": "1@x", "user": "ada", "from": "bob@x", "to": ["ada@x"], "cc": [], "date": "2019-03-05T08:15:00Z", "subject": "Yarn", "body": "The blue yarn arrives."}
{"id": "2@x", "user": "ada", "from": "ada@x", "to": ["bob@x"], "cc": ["Eve@x"], "date": "2019-03-06T08:15:00Z", "subject": "Re: Yarn", "body": "Thanks for the yarn"}
{"id": "3@x", "user": "ada", "from": "eve@x", "to": ["ada@x"], "cc": [], "date": "2019-03-07T08:15:00Z", "subject": "Lunch", "body": "Blue, größer?"}
{"id": "4@x", "user": "eve", "from": "ada@x", "to": ["bob@x"], "cc": ["eve@x"], "date": "2019-03-06T08:15:00Z", "subject": "Re: Yarn", "body": "Thanks for the yarn"}
`

const loaded = "loaded 4 messages: 17 term postings, 10 interaction postings in # s (# postings/s)\n"

func TestLoadAndSearch(t *testing.T) {
	u := newTerminal(t)
	data := filepath.Join(files(t, map[string]string{"mail.jsonl": jsonLines}), "mail.jsonl")
	u.show(t, loaded, "load", "--data", data)
	if got := masked(u.err.String()); got != "ready in # ms\n100 %  4 messages  27 postings  # postings/s\n" {
		t.Errorf("progress\n%s", got)
	}
	u.show(t, "loaded 0 messages: 0 term postings, 0 interaction postings in # s (# postings/s)\n4 messages had been loaded before\ncompacted in # s\n",
		"load", "--data", data, "--compact")
	u.show(t, "31 searches with 37 hits: no difference\n", "check", "--data", data)

	const first = "2019-03-05 08:15  bob@x                             Yarn\n"
	const second = "2019-03-06 08:15  ada@x                             Re: Yarn\n"
	const third = "2019-03-07 08:15  eve@x                             Lunch\n"
	u.show(t, second+first+"2 messages in # ms\n", "search", "ada", "yarn")
	u.show(t, first+"1 messages in # ms\n", "search", "ada", "YARN", "the blue")
	u.show(t, third+"1 messages in # ms\n", "search", "ada", "GRÖSSER")
	u.show(t, "0 messages in # ms\n", "search", "ada", "red")
	u.show(t, "0 messages in # ms\n", "search", "nobody", "yarn")
	u.show(t, third+second+"2 messages in # ms\n", "search", "ada", "--with", "EVE@x")

	const next = "2019-03-06T08:15:00Z/2@x"
	u.show(t, second+"1 messages in # ms\nnext page: --page "+next+"\n", "search", "ada", "yarn", "--limit", "1")
	u.show(t, first+"1 messages in # ms\n", "search", "ada", "yarn", "--limit", "2", "--page", next)
	u.show(t, "0 messages in # ms\n", "search", "ada", "yarn", "--page", "2019-03-05T08:15:00Z/1@x")
	u.show(t, first+"1 messages in # ms\n", "search", "ada", "--with", "bob@x", "--page", next)
}

const envelope = "From bob@x Tue Mar  5 08:15:00 2019\n"

func rawMail(id, subject string) string {
	return "From: bob@x\nTo: ada@x\nDate: Tue, 5 Mar 2019 08:15:00 +0000\nMessage-ID: <" + id + ">\nSubject: " + subject + "\n\nhello\n"
}

// Mail comes in several forms, and in directories of them.
func TestFormats(t *testing.T) {
	root := files(t, map[string]string{
		"ada.mbox":               envelope + rawMail("m1", "first") + "\n" + envelope + rawMail("m2", "second"),
		"eve/cur/1.x.host:2,S":   rawMail("d1", "delivered"),
		"eve/new/2.x.host":       zipped(t, rawMail("d2", "new")),
		"eve/.Sent/cur/3.x.host": rawMail("d3", "sent"),
		"lines.jsonl.gz":         zipped(t, jsonLines),
		"notes.txt":              "no mail",
	})
	const line = "2019-03-05 08:15  bob@x                             "
	check := func(path string, messages string, arguments ...string) *terminal {
		t.Helper()
		u := newTerminal(t)
		if err := u.run(t.Context(), append([]string{"load", "--data", filepath.Join(root, path)}, arguments...)...); err != nil {
			t.Fatal(err)
		}
		if want := "loaded " + messages + " messages: "; !strings.HasPrefix(u.out.String(), want) {
			t.Errorf("%s: %swant %s", path, u.out.String(), want)
		}
		return u
	}
	check("ada.mbox", "2").show(t, line+"first\n"+line+"second\n2 messages in # ms\n", "search", "ada", "hello")
	check("ada.mbox", "2", "--user", "a.k.").show(t, line+"first\n"+line+"second\n2 messages in # ms\n", "search", "a.k.", "hello")
	check("eve", "3").show(t, line+"delivered\n"+line+"new\n"+line+"sent\n3 messages in # ms\n", "search", "eve", "hello")
	check("lines.jsonl.gz", "4")

	u := check("", "9")
	if want := "ignored: " + filepath.Join(root, "notes.txt") + ": neither JSON lines nor mbox\n"; !strings.Contains(u.err.String(), want) {
		t.Errorf("%s does not say %s", u.err.String(), want)
	}
	if err := u.run(t.Context(), "check", "--data", root); err != nil || !strings.HasSuffix(u.out.String(), "hits: no difference\n") {
		t.Errorf("check prints %s and error %v", u.out.String(), err)
	}
}

func TestMeasureCommand(t *testing.T) {
	u := newTerminal(t)
	data := filepath.Join(t.TempDir(), "mail.jsonl")
	u.show(t, "", "generate", "--messages", "50", "--mailboxes", "3", "--out", data)
	if u.err.String() != "wrote 50 messages\n" {
		t.Errorf("generate says %s", u.err.String())
	}
	if err := u.run(t.Context(), "load", "--data", data); err != nil {
		t.Fatal(err)
	}
	if err := u.run(t.Context(), "measure", "--data", data, "--searches", "10", "--limit", "5"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"10 searches of each kind, first 5 hits", "Data: 50 messages.", "search interactions   term search", "26.13         44.41"} {
		if !strings.Contains(u.out.String(), want) {
			t.Errorf("%s does not say %s", u.out.String(), want)
		}
	}
}

func TestGenerate(t *testing.T) {
	u := newTerminal(t)
	generate := func(seed string) string {
		t.Helper()
		if err := u.run(t.Context(), "generate", "--messages", "20", "--seed", seed); err != nil {
			t.Fatal(err)
		}
		return u.out.String()
	}
	first := generate("1")
	if again := generate("1"); again != first || strings.Count(first, "\n") != 20 {
		t.Error("one seed gives different mail, or not 20 lines")
	}
	if other := generate("2"); other == first {
		t.Error("two seeds give the same mail")
	}
	u.refuse(t, "no such file or directory", "generate", "--out", filepath.Join(t.TempDir(), "missing", "mail.jsonl"))
	u.refuse(t, "--messages must be at least 1", "generate", "--messages", "0")
	u.refuse(t, "--mailboxes must be at least 1", "generate", "--mailboxes", "-1")
}

func TestDamagedMail(t *testing.T) {
	u := newTerminal(t)
	lines := strings.SplitAfter(jsonLines, "\n")
	lines[1] = "{\"id\": \"2@x\", broken}\n"
	data := filepath.Join(files(t, map[string]string{"mail.jsonl": strings.Join(lines, "")}), "mail.jsonl")
	u.show(t, "loaded 3 messages: 12 term postings, 7 interaction postings in # s (# postings/s)\n1 damaged messages were passed over\n", "load", "--data", data)
	if want := "passed over: mail: " + data + ": message 1 at line 2"; !strings.Contains(u.err.String(), want) {
		t.Errorf("%s does not say %s", u.err.String(), want)
	}
	u.show(t, "25 searches with 26 hits: no difference\n", "check", "--data", data)
}

// An interrupted load says how to go on, and going on completes it.
func TestInterrupted(t *testing.T) {
	u := newTerminal(t)
	data := filepath.Join(files(t, map[string]string{"mail.jsonl": "{\"id\": damaged}\n" + jsonLines}), "mail.jsonl")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	atDamage := writerFunc(func(p []byte) (int, error) {
		if bytes.HasPrefix(p, []byte("passed over: ")) {
			cancel()
		}
		return len(p), nil
	})
	err := execute(ctx, Command(u.start), io.Discard, atDamage, "inbox", "load", "--data", data)
	if err == nil || err.Error() != "interrupted; run the same command again to continue" {
		t.Fatalf("error %v", err)
	}
	u.refuse(t, "run load first", "check", "--data", data)
	if err := u.run(t.Context(), "load", "--data", data); err != nil {
		t.Fatal(err)
	}
	u.show(t, "31 searches with 37 hits: no difference\n", "check", "--data", data)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRefusals(t *testing.T) {
	u := newTerminal(t)
	root := files(t, map[string]string{"mail.jsonl": jsonLines, "cut.jsonl.gz": zipped(t, jsonLines)[:100], "text": "no mail"})
	data, missing := filepath.Join(root, "mail.jsonl"), filepath.Join(root, "missing")
	for _, command := range []string{"load", "check", "measure"} {
		u.refuse(t, "no such file or directory", command, "--data", missing)
		u.refuse(t, `required flag(s) "data" not set`, command)
		u.refuse(t, "no mail in", command, "--data", filepath.Join(root, "text"))
		u.refuse(t, "unknown command", command, "--data", data, "more")
	}
	u.refuse(t, "cut.jsonl.gz: at line 1", "load", "--data", filepath.Join(root, "cut.jsonl.gz"))
	u.refuse(t, "the file is cut off", "load", "--data", filepath.Join(root, "cut.jsonl.gz"))
	u.refuse(t, "run load first", "check", "--data", data)
	u.refuse(t, "0 hits; the mail has", "measure", "--data", data, "--searches", "1")

	u.refuse(t, "requires at least 1 arg", "search")
	u.refuse(t, "give either words to search for or --with ADDRESS", "search", "ada")
	u.refuse(t, "give either words to search for or --with ADDRESS", "search", "ada", "123", "!")
	u.refuse(t, "give either words to search for or --with ADDRESS", "search", "ada", "yarn", "--with", "bob@x")
	u.refuse(t, "--limit must be at least 1", "search", "ada", "yarn", "--limit", "0")
	u.refuse(t, "--limit must be at least 1", "search", "ada", "yarn", "--limit", "-3")
	u.refuse(t, "invalid argument", "search", "ada", "yarn", "--limit", "many")
	for _, page := range []string{"x", "2019-03-05", "2019-03-05T08:15:00Z", "yesterday/1@x", "/"} {
		u.refuse(t, "is not what a search has printed", "search", "ada", "yarn", "--page", page)
	}

	u.refuse(t, "negative", "load", "--data", data, "--workers", "-1")
	if err := u.run(t.Context(), "load", "--data", data); err != nil {
		t.Fatal(err)
	}
	u.refuse(t, "negative", "check", "--data", data, "--words", "-1")
	u.refuse(t, "negative", "measure", "--data", data, "--searches", "-1")
	u.refuse(t, "negative", "measure", "--data", data, "--limit", "-1")

	n, err := u.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u.refuse(t, "another process is using the data directory", "search", "ada", "yarn")
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
}

func TestCanceledBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u := newTerminal(t)
	if err := u.run(ctx, "search", "ada", "yarn"); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("error %v", err)
	}
}

func TestProgressOnTerminal(t *testing.T) {
	var out strings.Builder
	r := &reporter{out: &out, terminal: true}
	check := func(p inbox.Progress, want string) {
		t.Helper()
		out.Reset()
		if r.progress(p); out.String() != want {
			t.Errorf("got  %q\nwant %q", out.String(), want)
		}
	}
	check(inbox.Progress{}, "\r[........................................]   0 %  0 messages  0 postings/s ")
	check(inbox.Progress{Offset: 1, Size: 2, Messages: 5, Skipped: 2, Terms: 60, Interactions: 20, Elapsed: 2 * time.Second},
		"\r[####################....................]  50 %  7 messages  40 postings/s ")
	check(inbox.Progress{Offset: 2, Size: 2, Elapsed: time.Second}, "\r[########################################] 100 %  0 messages  0 postings/s ")
	check(inbox.Progress{Offset: 3, Size: 2, Elapsed: time.Second}, "\r[########################################] 100 %  0 messages  0 postings/s ")
	out.Reset()
	if r.end(); out.String() != "\n" {
		t.Errorf("the end prints %q", out.String())
	}
}

// Where there is no terminal, a line comes only every few seconds.
func TestProgressLines(t *testing.T) {
	var out strings.Builder
	r := newReporter(&out)
	p := inbox.Progress{Offset: 1, Size: 4, Messages: 5, Skipped: 2, Terms: 60, Interactions: 20, Elapsed: 2 * time.Second}
	const line = " 25 %  7 messages  80 postings  40 postings/s\n"
	r.progress(p)
	r.last = time.Now().Add(time.Hour)
	r.progress(p)
	r.last = time.Now().Add(-2 * plainInterval)
	r.progress(p)
	r.end()
	if out.String() != line+line {
		t.Errorf("got\n%s", out.String())
	}
}

package mail

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// files writes files below a new directory and returns the directory.
func files(t testing.TB, content map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range content {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func zipped(t testing.TB, data string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func open(t testing.TB, path string, opts Options) *Source {
	t.Helper()
	source, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	return source
}

// readAll returns the messages of a source, the contained errors, and the error that ended it unless that is io.EOF.
func readAll(from Iterator) (messages []Message, damaged []*MessageError, final error) {
	for {
		m, err := from.Next()
		var contained *MessageError
		switch {
		case err == io.EOF:
			return messages, damaged, nil
		case errors.As(err, &contained):
			damaged = append(damaged, contained)
		case err != nil:
			return messages, damaged, err
		default:
			messages = append(messages, *m)
		}
	}
}

// mustReadAll reads a source without damage.
func mustReadAll(t testing.TB, from Iterator) []Message {
	t.Helper()
	messages, damaged, err := readAll(from)
	if err != nil || damaged != nil {
		t.Fatal(err, damaged)
	}
	return messages
}

// summary prints what tells messages apart.
func summary(messages []Message) string {
	var out strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&out, "%s %s %s\n", m.User, m.Folder, m.Subject)
	}
	return out.String()
}

func TestJSONLines(t *testing.T) {
	want := []Message{
		{
			ID: "loom.1@loom.example", User: "weaver-a", From: "ada@loom.example",
			To: []string{"bruno@mill.example", "dora@mill.example"}, Date: utc(t, "2019-03-05T08:15:00Z"),
			Subject: "Yarn", Body: "The blue yarn\narrives on Monday.", Folder: "sent",
		}, {
			ID: "loom.2@loom.example", User: "weaver-a", From: "bruno@mill.example",
			To: []string{"ada@loom.example"}, CC: []string{"dora@mill.example"}, Date: utc(t, "2019-03-06T09:00:00Z"),
			Body: "Grüße ❤", Folder: "inbox/mill",
		}, {
			ID: "loom.3@loom.example", User: "spinner-b", From: "ada@loom.example", Date: utc(t, "2019-03-07T08:15:00Z"),
			Subject: "Silk", Body: "x",
		},
	}
	plain := string(readTestdata(t, "loom.jsonl"))
	check := func(data string) {
		t.Helper()
		source := open(t, filepath.Join(files(t, map[string]string{"any name": data}), "any name"), Options{User: "nobody"})
		if got := mustReadAll(t, source); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v", got)
		}
		if source.Size() != int64(len(data)) || source.Offset() != source.Size() || source.Position() != 3 {
			t.Errorf("size %d, offset %d, position %d", source.Size(), source.Offset(), source.Position())
		}
	}
	check(plain)
	check(zipped(t, plain))
	check(zipped(t, plain[:100]) + zipped(t, plain[100:])) // two gzip members
	check("\uFEFF" + strings.ReplaceAll(plain, "\n", "\r\n"))
	check("\n" + strings.TrimSuffix(plain, "\n")) // no line end after the last object
}

func TestJSONLinesUser(t *testing.T) {
	const line = `{"id":"1","from":"a@b","to":null,"date":"2019-03-05T08:15:00Z"}` + "\n"
	path := filepath.Join(files(t, map[string]string{"x": line}), "x")
	if got := mustReadAll(t, open(t, path, Options{User: "ada"})); got[0].User != "ada" {
		t.Errorf("user %q", got[0].User)
	}
	_, damaged, err := readAll(open(t, path, Options{}))
	if err != nil || len(damaged) != 1 || damaged[0].Err.Error() != `the object has no "user"` {
		t.Errorf("damage %v, error %v", damaged, err)
	}
}

func TestMbox(t *testing.T) {
	want := []Message{
		{
			ID: "loom.1@loom.example", User: "mill", From: "ada@loom.example", To: []string{"bruno@mill.example"},
			Date: utc(t, "2019-03-05T08:15:00Z"), Subject: "Quoted lines", Folder: inboxFolder,
			Body: "From the loom to the mill it is a mile.\n>From twice quoted text one mark is taken.\n\nFrom here on nothing starts a message.",
		}, {
			ID: "mill.2@mill.example", User: "mill", From: "bruno@mill.example", To: []string{"ada@loom.example"},
			Date: utc(t, "2019-03-06T09:00:00Z"), Subject: "No date of its own", Body: "Second body", Folder: inboxFolder,
		}, {
			ID: "mill.3@mill.example", User: "mill", From: "egon@mill.example", Date: utc(t, "2019-03-07T08:30:00Z"),
			Subject: "Neither sender nor date", Body: "Third body", Folder: inboxFolder,
		}, {
			User: "mill", From: "dora@mill.example", Date: utc(t, "2019-03-08T08:30:00Z"),
			Subject: "Neither body nor id", Folder: inboxFolder,
		},
	}
	plain := string(readTestdata(t, "mill.mbox"))
	check := func(name, data string) {
		t.Helper()
		source := open(t, filepath.Join(files(t, map[string]string{name: data}), filepath.FromSlash(name)), Options{})
		got := mustReadAll(t, source)
		if len(got) == 4 {
			if !strings.HasSuffix(got[3].ID, "@missing-message-id.invalid") {
				t.Errorf("made id %q", got[3].ID)
			}
			got[3].ID = ""
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
		if source.Offset() != source.Size() {
			t.Errorf("%s: offset %d, size %d", name, source.Offset(), source.Size())
		}
	}
	check("mill.mbox", plain)
	check("mill", plain)
	check("mill.mbox.gz", zipped(t, plain))
	check("mill.mbox/mbox", strings.ReplaceAll(plain, "\n", "\r\n"))
	check("mill", strings.TrimSuffix(plain, "\n"))                     // without the blank line at the end
	check("mill", strings.ReplaceAll(plain, "\n\nFrom e", "\nFrom e")) // and between two messages
}

func TestIsEnvelope(t *testing.T) {
	check := func(line string, want bool) {
		t.Helper()
		if got := isEnvelope([]byte(line), true); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	check("From a@b Tue Mar  5 12:00:00 2019\n", true)
	check("From a@b Tue Mar  5 12:00:00 PST 2019\r\n", true)
	check("From MAILER-DAEMON Tue Mar  5 12:00:00 2019", true)
	check("From 1596@xxx Tue Mar 05 12:00:00 +0000 2019\n", true)
	check("From - Tue Mar 05 12:00:00 2019\n", true)
	check("From \n", true)
	check("From -\n", true)
	check("From Tuesday on we meet at 12:00\n", false)
	check("From a@b Tue Mar  5 2019\n", false)
	check("From: a@b\n", false)
	check(">From a@b Tue Mar  5 12:00:00 2019\n", false)
	check("from a@b Tue Mar  5 12:00:00 2019\n", false)
	if isEnvelope([]byte("From -\n"), false) {
		t.Error("a line without a date counts in the middle of a text")
	}
}

const shortMail = "From: a@b\nDate: Tue, 5 Mar 2019 12:00:00 +0000\nSubject: "

func TestMaildir(t *testing.T) {
	content := map[string]string{
		"anna/cur/1002.x.host:2,S":        shortMail + "second\n\n",
		"anna/cur/1000.x.host:2,":         shortMail + "first\n\n",
		"anna/new/1001.x.host":            shortMail + "in between\n\n",
		"anna/cur/.hidden":                "x",
		"anna/tmp/1003.x.host":            shortMail + "not delivered\n\n",
		"anna/dovecot.index":              "x",
		"anna/.Sent/cur/1004.x.host:2,S":  zipped(t, shortMail+"zipped\n\n"),
		"anna/.Sent.2018/new/1005.x.host": "From: a@b\nReceived: by c; Tue, 5 Mar 2019 12:00:00 +0000\nSubject: deep",
		"anna/.Entw&APw-rfe/cur/1.x.host": shortMail + "draft",
		"anna/nested/plain/cur/1.x.host":  shortMail + "unseen",
		"anna/nested/cur/1.x.host":        shortMail + "nested",
	}
	root := files(t, content)
	const want = "anna Entwürfe draft\nanna Sent zipped\nanna Sent/2018 deep\nanna nested nested\nanna nested/plain unseen\n"
	const inbox = "anna INBOX first\nanna INBOX in between\nanna INBOX second\n"
	check := func(path string, opts Options, want string) {
		t.Helper()
		source := open(t, path, opts)
		got := mustReadAll(t, source)
		if summary(got) != want {
			t.Errorf("%s:\n%s", path, summary(got))
		}
		if source.Offset() != source.Size() || source.Size() == 0 {
			t.Errorf("offset %d, size %d", source.Offset(), source.Size())
		}
		for _, m := range got {
			if m.Date != utc(t, "2019-03-05T12:00:00Z") {
				t.Errorf("%s: date %v", m.Subject, m.Date)
			}
		}
	}
	check(filepath.Join(root, "anna"), Options{}, inbox+want)
	check(root, Options{}, inbox+want)
	check(root, Options{User: "a.k."}, strings.ReplaceAll(inbox+want, "anna ", "a.k. "))
	check(filepath.Join(root, "anna", ".Sent"), Options{User: "anna"}, "anna INBOX zipped\n")
}

func TestMessageDatedByItsFile(t *testing.T) {
	root := files(t, map[string]string{"cur/1.x": "Subject: x\n\n"})
	if err := os.Chtimes(filepath.Join(root, "cur", "1.x"), fileTime, fileTime); err != nil {
		t.Fatal(err)
	}
	if got := mustReadAll(t, open(t, root, Options{})); got[0].Date != fileTime {
		t.Errorf("date %v, want %v", got[0].Date, fileTime)
	}
}

func TestDecodeFolder(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := decodeFolder(in); got != want {
			t.Errorf("decodeFolder(%q) = %q, want %q", in, got, want)
		}
	}
	check("plain", "plain")
	check("a &- b", "a & b")
	check("&U,BTFw-&ZeVnLIqe-", "台北日本語") // RFC 3501's example, without its letters between
	check("&unfinished", "&unfinished")
	check("&AAA!-", "&AAA!-")
	check("&2D3eAA-", "😀")
}

func TestOwnerName(t *testing.T) {
	check := func(path, want string) {
		t.Helper()
		if got := ownerName(filepath.FromSlash(path)); got != want {
			t.Errorf("ownerName(%q) = %q, want %q", path, got, want)
		}
	}
	check("/mail/anna.mbox", "anna")
	check("/mail/anna.mbox.gz", "anna")
	check("/mail/anna.kovac", "anna.kovac")
	check("/mail/anna/Maildir", "anna")
	check("/mail/anna.mbox/mbox", "anna")
	check("/mail/.mbox", ".mbox")
	check("/mbox", "mbox")
}

func TestDirectory(t *testing.T) {
	jsonl, mbox := string(readTestdata(t, "loom.jsonl")), string(readTestdata(t, "mill.mbox"))
	root := files(t, map[string]string{
		"a/loom.jsonl.gz": zipped(t, jsonl),
		"b.mbox":          mbox,
		"c/cur/1.x":       shortMail + "in a Maildir\n\n",
		"d/Sent.mbox":     mbox,
		"a/empty":         "",
		"README":          "From time to time files lie about.\n",
		"e/archive.gz":    zipped(t, "something else"),
		"e/text.rtf":      "{\\rtf1 text}\n",
		".cache/x.mbox":   mbox,
		".profile":        "x",
	})
	if err := os.Symlink(root, filepath.Join(root, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "b.mbox"), filepath.Join(root, "z.mbox")); err != nil {
		t.Fatal(err)
	}
	source := open(t, root, Options{})
	got := strings.Split(strings.TrimSpace(summary(mustReadAll(t, source))), "\n")
	if len(got) != 3+4+1+4+4 || !strings.HasPrefix(got[3], "b INBOX") || got[7] != "c INBOX in a Maildir" ||
		!strings.HasPrefix(got[8], "Sent INBOX") || !strings.HasPrefix(got[12], "z INBOX") {
		t.Errorf("got %q", got)
	}
	if source.Offset() != source.Size() {
		t.Errorf("offset %d, size %d", source.Offset(), source.Size())
	}
	var ignored []string
	for _, line := range source.Ignored() {
		ignored = append(ignored, filepath.ToSlash(strings.TrimPrefix(line, root+string(filepath.Separator))))
	}
	want := []string{
		".cache: hidden directory", ".profile: hidden file", "README: neither JSON lines nor mbox", "a/empty: empty file",
		"e/archive.gz: neither JSON lines nor mbox", "e/text.rtf: neither JSON lines nor mbox", "loop: link to a directory",
	}
	if !reflect.DeepEqual(ignored, want) {
		t.Errorf("ignored %q", ignored)
	}
	named := mustReadAll(t, open(t, root, Options{User: "anna"}))
	if named[8].User != "anna" || named[8].Folder != "d/Sent" {
		t.Errorf("user %q, folder %q", named[8].User, named[8].Folder)
	}
}

func TestOpenRefuses(t *testing.T) {
	root := files(t, map[string]string{
		"empty": "", "text": "hello\n", "cut.gz": zipped(t, "hello")[:5], "header.gz": "\x1f\x8bxxxxxxxxxxxxx", "dir/x": "x",
		"cutlate.gz": zipped(t, "hello")[:12],
	})
	if err := os.Mkdir(filepath.Join(root, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(name string, opts Options, want string) {
		t.Helper()
		_, err := Open(filepath.Join(root, name), opts)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	check("missing", Options{}, "no such file")
	check("empty", Options{}, "empty file")
	check("text", Options{}, "neither JSON lines nor mbox")
	check("cut.gz", Options{}, "ends too early")
	check("cutlate.gz", Options{}, "ends too early")
	check("header.gz", Options{}, "gzip")
	check("dir", Options{}, "no mail in")
	check("nothing", Options{}, "no mail in")
	check("", Options{MaxMessageBytes: -1}, "negative")
	check("", Options{User: strings.Repeat("x", 1000)}, "longer than")
}

// Resuming after n messages gives the rest, whatever is damaged before or after.
func TestSkip(t *testing.T) {
	jsonl, mbox := string(readTestdata(t, "loom.jsonl")), string(readTestdata(t, "mill.mbox"))
	root := files(t, map[string]string{
		"a.jsonl": "{\"damaged}\n" + jsonl + "{}\n", "b.mbox": mbox, "c/cur/1.x": shortMail + "x", "c/cur/2.x": "\n", "c/cur/3.x": shortMail + "y",
		"d.mbox": strings.Replace(mbox, "Subject: Quoted", strings.Repeat("x", 2000)+"\n", 1),
	})
	opts := Options{MaxMessageBytes: 1500}
	run := func(skip int64) (events []string) {
		source := open(t, root, opts)
		if err := source.Skip(skip); err != nil {
			t.Fatal(err)
		}
		for {
			if source.Position() != skip+int64(len(events)) {
				t.Fatalf("position %d after %d events", source.Position(), len(events))
			}
			m, err := source.Next()
			if err == io.EOF {
				if source.Offset() != source.Size() {
					t.Errorf("skip %d: offset %d, size %d", skip, source.Offset(), source.Size())
				}
				return events
			}
			events = append(events, fmt.Sprint(m, err))
		}
	}
	all := run(0)
	if len(all) != 5+4+3+4 {
		t.Fatalf("%d events: %q", len(all), all)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, len(all)).Draw(t, "n")
		if rest := run(int64(n)); len(rest) != len(all)-n || strings.Join(rest, "\n") != strings.Join(all[n:], "\n") {
			t.Errorf("after %d: %q", n, rest)
		}
	})
	source := open(t, root, opts)
	if err := source.Skip(17); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "holds only 16") {
		t.Errorf("skipping too far: %v", err)
	}
	if err := source.Skip(-1); err == nil {
		t.Error("skipping back succeeds")
	}
}

func TestFingerprint(t *testing.T) {
	content := map[string]string{
		"a.jsonl": string(readTestdata(t, "loom.jsonl")), "c/cur/1.x:2,": shortMail + "x", "c/new/2.x": shortMail + "y",
		"big.mbox": strings.ReplaceAll(strings.Repeat(string(readTestdata(t, "mill.mbox")), 300), "yarn", "silk"),
	}
	reference := open(t, files(t, content), Options{}).Fingerprint()
	check := func(same bool, opts Options, change func(map[string]string)) {
		t.Helper()
		changed := map[string]string{}
		for name, data := range content {
			changed[name] = data
		}
		change(changed)
		if got := open(t, files(t, changed), opts).Fingerprint() == reference; got != same {
			t.Errorf("same fingerprint: %v, want %v", got, same)
		}
	}
	move := func(m map[string]string, from, to string) { m[to] = m[from]; delete(m, from) }
	check(true, Options{}, func(m map[string]string) {}) // in another directory
	check(true, Options{MaxMessageBytes: 1 << 20}, func(m map[string]string) {})
	check(true, Options{}, func(m map[string]string) { move(m, "c/new/2.x", "c/cur/2.x:2,S") }) // read by its owner
	check(false, Options{User: "x"}, func(m map[string]string) {})
	check(false, Options{}, func(m map[string]string) { move(m, "a.jsonl", "b.jsonl") })
	check(false, Options{}, func(m map[string]string) { // another owner
		move(m, "c/cur/1.x:2,", "d/cur/1.x:2,")
		move(m, "c/new/2.x", "d/new/2.x")
	})
	check(false, Options{}, func(m map[string]string) { m["a.jsonl"] = strings.Replace(m["a.jsonl"], "blue", "grey", 1) })
	check(false, Options{}, func(m map[string]string) { m["c/new/3.x"] = shortMail })
	check(false, Options{}, func(m map[string]string) { m["c/new/2.x"] += "y" })
	check(false, Options{}, func(m map[string]string) { delete(m, "c/new/2.x") })
	check(false, Options{}, func(m map[string]string) { m["big.mbox"] += "\n" })
	check(false, Options{}, func(m map[string]string) { // at the end of a large file
		m["big.mbox"] = m["big.mbox"][:len(m["big.mbox"])-10] + strings.Repeat("\n", 10)
	})
}

func TestClose(t *testing.T) {
	source, err := Open(filepath.Join("testdata", "loom.jsonl"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := source.Next(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after Close: %v", err)
	}
}

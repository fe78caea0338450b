package inbox

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/tests/nodes"
	"github.com/iliumdb/ilium/workload/client"
	"github.com/iliumdb/ilium/workload/mail"
)

func TestMain(m *testing.M) { nodes.Main(m) }

// newInbox opens the workload on a new node; t.Cleanup stops it.
func newInbox(t testing.TB) *Inbox {
	t.Helper()
	in, err := Open(t.Context(), client.Embed(nodes.Start(t).Session()), 1)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func (in *Inbox) exec(t testing.TB, text string, values ...any) {
	t.Helper()
	st, err := in.database.Prepare(t.Context(), text)
	if err == nil {
		err = st.Exec(t.Context(), values...)
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// one stores the first row of a query in dest.
func (in *Inbox) one(t testing.TB, text string, values []any, dest ...any) {
	t.Helper()
	st, err := in.database.Prepare(t.Context(), text)
	if err == nil {
		err = client.One(st.Query(t.Context(), 0, values...), dest...)
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// count returns how many rows a table has.
func (in *Inbox) count(t testing.TB, table string) (rows int64) {
	t.Helper()
	in.one(t, "SELECT count(*) FROM inbox."+table, nil, &rows)
	return rows
}

// A letter is a message, and what goes wrong with reading it, if anything does.
type letter struct {
	*mail.Message
	err error
}

// A list is a Source of given letters.
type list struct {
	name     string // its fingerprint
	letters  []letter
	position int
	reading  func(position int) // called before a letter is read, if set
}

func (l *list) Next() (*mail.Message, error) {
	if l.position == len(l.letters) {
		return nil, io.EOF
	}
	if l.reading != nil {
		l.reading(l.position)
	}
	l.position++
	next := l.letters[l.position-1]
	return next.Message, next.err
}

func (l *list) Skip(n int64) error {
	if l.position += int(n); l.position > len(l.letters) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (l *list) Position() int64     { return int64(l.position) }
func (l *list) Size() int64         { return int64(len(l.letters)) }
func (l *list) Offset() int64       { return l.Position() }
func (l *list) Fingerprint() string { return l.name }

// again returns a Source of the same letters that stands at the first one.
func (l *list) again() *list { return &list{name: l.name, letters: l.letters} }

// invented returns generated mail.
func invented(t testing.TB, messages int64) *list {
	t.Helper()
	from := mail.Generate(mail.GeneratorOptions{Seed: 5, Messages: messages, Mailboxes: 4})
	l := &list{name: from.Fingerprint()}
	for {
		m, err := from.Next()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		l.letters = append(l.letters, letter{Message: m})
	}
}

// written returns a list of messages, one a line: user, id, seconds since the epoch, from, to and words.
func written(lines ...string) *list {
	l := &list{name: strings.Join(lines, "\n")}
	for _, line := range lines {
		m := &mail.Message{}
		var seconds int64
		var to, words string
		if _, err := fmt.Sscanf(line, "%s %s %d %s %s %s", &m.User, &m.ID, &seconds, &m.From, &to, &words); err != nil {
			panic(err) // the test is wrong
		}
		m.Date = time.Unix(seconds, 0).UTC()
		m.To, m.Body = strings.Split(to, ","), strings.ReplaceAll(words, ",", " ")
		l.letters = append(l.letters, letter{Message: m})
	}
	return l
}

// expected counts the messages of a list that can be read, and their postings.
func expected(l *list) Progress {
	p := Progress{Offset: l.Size(), Size: l.Size()}
	for _, m := range l.letters {
		if m.err != nil {
			p.Damaged++
			continue
		}
		p.Messages++
		p.Terms += int64(len(mail.DistinctWords(m.Subject, m.Body)))
		p.Interactions += int64(len(mail.Correspondents(m.Message)))
	}
	return p
}

func (in *Inbox) load(t testing.TB, source Source) Progress {
	t.Helper()
	p, err := in.Load(t.Context(), source, LoadOptions{Path: "test"})
	if err != nil {
		t.Fatal(err)
	}
	p.Elapsed = 0 // nothing can be expected of it
	return p
}

// all makes Check ask every question there is, some only so many that it takes little time.
var (
	all  = CheckOptions{Words: 1 << 30, Peers: 1 << 30}
	some = CheckOptions{Words: 500, Peers: 100}
)

// check wants no difference between the tables and a list.
func (in *Inbox) check(t testing.TB, l *list, opts CheckOptions) CheckResult {
	t.Helper()
	result, err := in.Check(t.Context(), l.again(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestOpenKeepsWhatIsThere(t *testing.T) {
	in := newInbox(t)
	mails := written("ada 1 100 bob@x eve@x yarn,blue")
	in.load(t, mails)
	again, err := Open(t.Context(), in.database, 1)
	if err != nil {
		t.Fatal(err)
	}
	again.check(t, mails, all)
}

func TestOpenNeedsItsTables(t *testing.T) {
	in := newInbox(t)
	in.exec(t, "DROP TABLE inbox.term_index")
	in.exec(t, "CREATE TABLE inbox.term_index (k int PRIMARY KEY)")
	if _, err := Open(t.Context(), in.database, 1); err == nil || !strings.Contains(err.Error(), "preparing INSERT INTO inbox.term_index") {
		t.Errorf("error %v", err)
	}
	in.exec(t, "DROP KEYSPACE inbox")
	in.exec(t, "CREATE KEYSPACE other WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	if _, err := in.Terms(t.Context(), "ada", []string{"yarn"}, 1, nil); err == nil {
		t.Error("a search without its table succeeds")
	}
	if _, err := in.With(t.Context(), "ada", "bob@x", 1, nil); err == nil {
		t.Error("a search without its table succeeds")
	}
}

func TestSummarize(t *testing.T) {
	in := newInbox(t)
	mails := written("ada 1 100 bob@x eve@x,pat@x yarn")
	mails.letters[0].Subject, mails.letters[0].Folder = "The yarn", "inbox/mill"
	in.load(t, mails)
	hit := Hit{SentAt: time.Unix(100, 0).UTC(), MessageID: "1"}
	got, err := in.Summarize(t.Context(), "ada", []Hit{hit, hit})
	want := "[{{1970-01-01 00:01:40 +0000 UTC 1} bob@x [eve@x pat@x] The yarn inbox/mill}"
	if err != nil || len(got) != 2 || !strings.HasPrefix(fmt.Sprint(got), want) {
		t.Errorf("got %v and error %v, want %s twice", got, err, want)
	}
	_, err = in.Summarize(t.Context(), "ada", []Hit{{MessageID: "missing"}})
	if !errors.Is(err, client.ErrNotFound) || !strings.Contains(err.Error(), "message missing of ada") {
		t.Errorf("error %v", err)
	}
}

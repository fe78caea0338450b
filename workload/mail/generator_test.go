package mail

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

// sum hashes the messages of an iterator as WriteJSONL writes them.
func sum(t testing.TB, from Iterator) string {
	t.Helper()
	hash := sha256.New()
	if _, err := WriteJSONL(hash, from); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// The bytes are fixed: results measured with one version can be compared with those of another. Whoever
// changes them on purpose changes the version in Generator.Fingerprint too.
func TestGeneratedBytesAreFixed(t *testing.T) {
	check := func(opts GeneratorOptions, want string) {
		t.Helper()
		if got := sum(t, Generate(opts)); got != want {
			t.Errorf("%+v: %s, want %s", opts, got, want)
		}
	}
	check(GeneratorOptions{Seed: 1, Messages: 1000, Mailboxes: 20}, "b7b11c85408cd59c")
	check(GeneratorOptions{Seed: 2, Messages: 100, Mailboxes: 1}, "2be325e2e39ea66f")
	if sum(t, Generate(GeneratorOptions{Seed: 3, Messages: 50})) == sum(t, Generate(GeneratorOptions{Seed: 4, Messages: 50})) {
		t.Error("two seeds give the same mail")
	}
}

func TestGeneratedMailReadsBack(t *testing.T) {
	opts := GeneratorOptions{Seed: 5, Messages: 500, Mailboxes: 30}
	var file bytes.Buffer
	n, err := WriteJSONL(&file, Generate(opts))
	if err != nil || n != opts.Messages {
		t.Fatal(n, err)
	}
	path := filepath.Join(files(t, map[string]string{"generated.jsonl.gz": zipped(t, file.String())}), "generated.jsonl.gz")
	got, want := mustReadAll(t, open(t, path, Options{})), mustReadAll(t, Generate(opts))
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("message %d: read %q, written %q", i, got[i], want[i])
		}
	}
}

// failing is an iterator that ends with an error.
type failing struct{ left int }

func (f *failing) Next() (*Message, error) {
	if f.left == 0 {
		return nil, errors.New("out of paper")
	}
	f.left--
	return &Message{ID: "1", User: "u", Date: fileTime.Add(time.Millisecond)}, nil
}

func TestWriteJSONL(t *testing.T) {
	var out strings.Builder
	n, err := WriteJSONL(&out, &failing{left: 2})
	const line = `{"id":"1","user":"u","from":"","to":[],"cc":[],"date":"2019-03-31T12:00:00Z","subject":"","body":"","folder":""}` + "\n"
	if n != 2 || err == nil || !strings.Contains(err.Error(), "out of paper") || out.String() != line+line {
		t.Errorf("%d messages, error %v, output %q", n, err, out.String())
	}
	r, w := io.Pipe()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteJSONL(w, Generate(GeneratorOptions{Messages: 1000})); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a full disk goes unnoticed: %v", err)
	}
}

func TestGeneratorSkip(t *testing.T) {
	opts := GeneratorOptions{Seed: 6, Messages: 300, Mailboxes: 5}
	all := mustReadAll(t, Generate(opts))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, len(all)).Draw(t, "n")
		g := Generate(opts)
		if err := g.Skip(int64(n)); err != nil || g.Position() != int64(n) {
			t.Fatal(err, g.Position())
		}
		if n == len(all) {
			if _, err := g.Next(); err != io.EOF {
				t.Error(err)
			}
			return
		}
		if m, err := g.Next(); err != nil || !reflect.DeepEqual(*m, all[n]) {
			t.Errorf("message %d: %v, %v", n, m, err)
		}
	})
	if err := Generate(opts).Skip(301); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if err := Generate(opts).Skip(-1); err == nil {
		t.Error("skipping back succeeds")
	}
}

func TestGeneratorClose(t *testing.T) {
	g := Generate(GeneratorOptions{})
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if _, err := g.Next(); err == nil || err == io.EOF {
		t.Errorf("after Close: %v", err)
	}
	if g.Size() != 10_000 || g.Offset() != 0 || g.Fingerprint() == Generate(GeneratorOptions{Seed: 1}).Fingerprint() {
		t.Error("defaults or fingerprint")
	}
}

// What every message must satisfy, for any options.
func TestGeneratedMessagesAreValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := GeneratorOptions{
			Seed:      rapid.Uint64().Draw(t, "seed"),
			Messages:  rapid.Int64Range(-1, 40).Draw(t, "messages"),
			Mailboxes: rapid.IntRange(-1, 200).Draw(t, "mailboxes"),
		}
		g := Generate(opts)
		ids := map[string]bool{}
		for range min(40, g.Size()) {
			m, err := g.Next()
			if err != nil {
				t.Fatal(err)
			}
			if ids[m.ID] || m.ID == "" || m.User == "" || m.From == "" || len(m.To) == 0 || m.Body == "" || m.Folder == "" {
				t.Errorf("incomplete: %q", *m)
			}
			ids[m.ID] = true
			for _, text := range []string{m.Subject, m.Body} {
				if text != cleanText(text) || strings.TrimSpace(text) != text {
					t.Errorf("unclean text %q", text)
				}
			}
			for _, address := range Correspondents(m) {
				if found := addresses(address); len(found) != 1 || found[0] != address || !strings.HasSuffix(address, ".example") {
					t.Errorf("address %q", address)
				}
			}
			if copied := slices.Clone(m.To); !slices.Equal(distinctAddresses(copied), m.To) {
				t.Errorf("repeated addresses: %q", m.To)
			}
			if m.Date.Year() < 2019 || m.Date.Year() > 2024 || m.Date.Nanosecond() != 0 || m.Date.Location() != time.UTC {
				t.Errorf("date %v", m.Date)
			}
		}
	})
}

func TestPeopleAreDistinct(t *testing.T) {
	for _, mailboxes := range []int{1, 50, 400} {
		p := newPeople(7, mailboxes)
		seen := map[string]int{}
		for person := range p.all {
			name := p.lastName(person)
			if other, taken := seen[name]; taken {
				t.Fatalf("%d mailboxes: persons %d and %d share the name %q", mailboxes, other, person, name)
			}
			seen[name] = person
		}
	}
}

// sampleMail is enough generated mail to see its shape.
func sampleMail(t testing.TB) []Message {
	t.Helper()
	return mustReadAll(t, Generate(GeneratorOptions{Seed: 8, Messages: 6000, Mailboxes: 100}))
}

func TestGeneratedShape(t *testing.T) {
	mail := sampleMail(t)
	between := func(what string, got, low, high float64) {
		t.Helper()
		t.Logf("%s: %.3f", what, got)
		if got < low || got > high {
			t.Errorf("%s: %.3f, want %.3f to %.3f", what, got, low, high)
		}
	}
	share := func(is func(Message) bool) float64 {
		n := 0
		for _, m := range mail {
			if is(m) {
				n++
			}
		}
		return float64(n) / float64(len(mail))
	}
	count := func(list func(Message) []string) []int { // by falling frequency
		seen := map[string]int{}
		for _, m := range mail {
			for _, item := range list(m) {
				seen[item]++
			}
		}
		return slices.SortedFunc(maps.Values(seen), func(a, b int) int { return cmp.Compare(b, a) })
	}

	mailboxes := count(func(m Message) []string { return []string{m.User} })
	between("mailboxes with mail", float64(len(mailboxes)), 100, 100)
	between("largest mailbox", float64(mailboxes[0])/float64(len(mail)), 0.17, 0.22)
	between("smallest mailbox", float64(mailboxes[99]), 2, 20)

	words := count(func(m Message) []string { return asciiOnly(Words(nil, m.Body)) })
	between("slope of log frequency over log rank", slope(words, 5, 2000), -1.2, -0.8)
	between("distinct ASCII words", float64(len(words)), 20_000, 60_000)

	owner := newPeople(8, 100).user(0) // of the largest mailbox
	partners := count(func(m Message) []string {
		if m.User != owner {
			return nil
		}
		return Correspondents(&m)
	})
	between("correspondents of one mailbox", float64(len(partners)), 200, 2000)
	between("share of the first one besides the owner", float64(partners[1])/float64(partners[0]), 0.05, 0.5)

	var lengths, wordLengths []int
	letters := 0
	for _, m := range mail {
		if subject, reply := strings.CutPrefix(m.Subject, "Re: "); reply || subject == "" {
			continue
		}
		tokens := asciiOnly(strings.Fields(m.Body))
		if len(tokens) < len(strings.Fields(m.Body)) {
			continue
		}
		lengths = append(lengths, len(tokens))
		for _, word := range Words(nil, m.Body) {
			wordLengths = append(wordLengths, len(word))
			letters += len(word)
		}
	}
	slices.Sort(lengths)
	between("median length in words", float64(lengths[len(lengths)/2]), 90, 112)
	between("longest", float64(lengths[len(lengths)-1]), 1000, 20_000)
	between("letters per word", float64(letters)/float64(len(wordLengths)), 4, 6)

	between("replies", share(func(m Message) bool { return strings.HasPrefix(m.Subject, "Re: ") }), 0.35, 0.47)
	between("sent", share(func(m Message) bool { return m.Folder == "sent" }), 0.23, 0.33)
	between("on lists", share(func(m Message) bool { return strings.HasPrefix(m.Folder, "lists/") }), 0.05, 0.11)
	between("more than 30 correspondents", share(func(m Message) bool { return len(Correspondents(&m)) > 30 }), 0.005, 0.02)
	between("on weekends", share(func(m Message) bool {
		return m.Date.Weekday() == time.Saturday || m.Date.Weekday() == time.Sunday
	}), 0.05, 0.15)
	between("in office hours", share(func(m Message) bool {
		return m.Date.Weekday() >= time.Monday && m.Date.Weekday() <= time.Friday && m.Date.Hour() >= 9 && m.Date.Hour() < 17
	}), 0.5, 0.75)
	before := mail[0].Date
	between("later than the message before", share(func(m Message) bool {
		later := !m.Date.Before(before)
		before = m.Date
		return later
	}), 0.9, 0.99)
}

// asciiOnly returns the words without other than ASCII letters.
func asciiOnly(words []string) []string {
	return slices.DeleteFunc(words, func(w string) bool {
		return strings.IndexFunc(w, func(r rune) bool { return r > unicode.MaxASCII }) >= 0
	})
}

// slope fits a line through log frequency over log rank, by least squares.
func slope(frequencies []int, from, to int) float64 {
	var n, sx, sy, sxx, sxy float64
	for rank := from; rank < to; rank++ {
		x, y := math.Log(float64(rank+1)), math.Log(float64(frequencies[rank]))
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func TestGeneratedScripts(t *testing.T) {
	seen := map[string]int{}
	accented := 0
	for _, m := range sampleMail(t)[:2000] {
		for _, r := range m.Subject + m.Body {
			for _, name := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Devanagari", "Han", "Hangul"} {
				if unicode.Is(unicode.Scripts[name], r) {
					seen[name]++
				}
			}
			if r > unicode.MaxASCII && unicode.Is(unicode.Latin, r) {
				accented++
			}
		}
	}
	t.Log(seen, accented)
	if len(seen) != 7 || accented == 0 || seen["Latin"] < seen["Cyrillic"]*2 {
		t.Errorf("letters by script: %v, accented %d", seen, accented)
	}
}

// A reply is in a mailbox that has the message it answers, and quotes its start.
func TestGeneratedThreads(t *testing.T) {
	bodies := map[string][]string{} // by mailbox and subject
	replies := 0
	for _, m := range mustReadAll(t, Generate(GeneratorOptions{Seed: 9, Messages: 2000, Mailboxes: 20})) {
		subject, isReply := strings.CutPrefix(m.Subject, "Re: ")
		key := m.User + "\n" + subject
		if !isReply {
			bodies[key] = append(bodies[key], m.Body)
			continue
		}
		replies++
		_, quoted, found := strings.Cut(m.Body, "\n\n> ")
		quoted = strings.ReplaceAll("> "+quoted, "\n>\n", "\n> \n")
		quoted = strings.ReplaceAll(quoted, "\n> ", "\n")[2:]
		first, _, _ := strings.Cut(quoted, "\n\n")
		if !found || !slices.ContainsFunc(bodies[key], func(body string) bool { return strings.HasPrefix(body, first[:len(first)/2]) }) {
			t.Errorf("%s: %q quotes %q", m.User, m.Subject, first)
		}
	}
	if replies < 500 {
		t.Errorf("%d replies", replies)
	}
}

func TestZipf(t *testing.T) {
	z := newZipf(1000)
	drawn := make([]int, 1000)
	d := newDice(10, diceDraft, 0)
	for range 200_000 {
		drawn[z.draw(d, 100)]++
	}
	for rank, n := range drawn[:100] {
		want := 200_000 / (5.187 * float64(rank+1)) // the 100th harmonic number
		if math.Abs(float64(n)-want) > 6*math.Sqrt(want) {
			t.Errorf("rank %d: %d draws, want about %.0f", rank, n, want)
		}
	}
	if rest := slices.Max(drawn[100:]); rest != 0 {
		t.Errorf("a rank over the limit was drawn %d times", rest)
	}
}

func BenchmarkGeneratorNext(b *testing.B) {
	g := Generate(GeneratorOptions{Seed: 1, Messages: math.MaxInt64 >> 20, Mailboxes: 1000})
	if err := g.Skip(100_000); err != nil {
		b.Fatal(err)
	}
	bytes := 0
	b.ReportAllocs()
	for b.Loop() {
		m, err := g.Next()
		if err != nil {
			b.Fatal(err)
		}
		bytes += len(m.Body)
	}
	b.SetBytes(int64(bytes / b.N))
}

func BenchmarkSourceNext(b *testing.B) {
	var file bytes.Buffer
	if _, err := WriteJSONL(&file, Generate(GeneratorOptions{Seed: 1, Messages: 2000})); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(files(b, map[string]string{"x": file.String()}), "x")
	b.SetBytes(int64(file.Len() / 2000))
	b.ReportAllocs()
	source := open(b, path, Options{})
	for b.Loop() {
		_, err := source.Next()
		if err == io.EOF {
			source = open(b, path, Options{})
			_, err = source.Next()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

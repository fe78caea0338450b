package mail

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf8"
)

// checkMessage checks what holds for every message that comes out of a file.
func checkMessage(t *testing.T, m *Message, inputBytes int) {
	t.Helper()
	for _, text := range []string{m.ID, m.User, m.From, m.Subject, m.Body, m.Folder} {
		if !utf8.ValidString(text) || bytes.ContainsAny([]byte(text), "\x00\r") {
			t.Errorf("unclean text %q", text)
		}
	}
	if m.ID == "" || m.User == "" || len(m.ID) > maxNameBytes || m.Date.Location() != time.UTC || m.Date.Nanosecond() != 0 {
		t.Errorf("incomplete: id %q, user %q, date %v", m.ID, m.User, m.Date)
	}
	for _, list := range [][]string{m.To, m.CC} {
		if !slices.Equal(distinctAddresses(slices.Clone(list)), list) {
			t.Errorf("addresses %q", list)
		}
	}
	// A byte of input becomes at most one letter of three bytes (U+FFFD), an entity a few more.
	if len(m.Subject)+len(m.Body) > 12*inputBytes+100 {
		t.Errorf("%d bytes of text from %d bytes", len(m.Subject)+len(m.Body), inputBytes)
	}
	for _, word := range DistinctWords(m.Subject, m.Body) {
		checkWord(t, word)
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, name := range []string{"plain", "multipart", "html", "japanese", "forwarded", "broken"} {
		f.Add(readTestdata(f, "messages", name+".eml"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m, err := parseMessage(raw, origin{user: "u", folder: "f", modified: fileTime})
		if !bytes.Equal(raw, before) {
			t.Error("the input is changed")
		}
		if err == nil {
			checkMessage(t, m, len(raw))
		}
	})
}

// fuzzFile reads a file of any content through the whole source, twice: by Next and by Skip.
func fuzzFile(t *testing.T, data []byte) {
	path := filepath.Join(files(t, map[string]string{"file": string(data)}), "file")
	const limit = 1000
	source, err := Open(path, Options{MaxMessageBytes: limit})
	if err != nil {
		return
	}
	defer source.Close()
	for {
		m, err := source.Next()
		var damaged *MessageError
		if err == nil {
			checkMessage(t, m, limit)
		} else if !errors.As(err, &damaged) {
			if err == io.EOF && source.Offset() != source.Size() {
				t.Errorf("ends at %d of %d bytes", source.Offset(), source.Size())
			}
			break
		}
	}
	again := open(t, path, Options{MaxMessageBytes: limit})
	if err := again.Skip(source.Position()); err != nil {
		t.Errorf("skipping %d: %v", source.Position(), err)
	}
	if m, err := again.Next(); err == nil {
		t.Errorf("Skip counts fewer messages than Next: %v follows", m)
	}
}

func FuzzMbox(f *testing.F) {
	f.Add(readTestdata(f, "mill.mbox"))
	f.Add([]byte("From - \n\n\nFrom \nSubject: x\n\n>>From\n"))
	f.Fuzz(fuzzFile)
}

func FuzzJSONLines(f *testing.F) {
	f.Add(readTestdata(f, "loom.jsonl"))
	f.Add([]byte("{}\n\n{\"id\":1}\n[\n" + jsonLine("x")))
	f.Fuzz(fuzzFile)
}

func FuzzWords(f *testing.F) {
	f.Add("The blue yarn, Grüße und Καλημέρα κόσμος. 青い糸 e\u0301\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, word := range Words(nil, text) {
			checkWord(t, word)
		}
	})
}

func FuzzAddresses(f *testing.F) {
	f.Add(`"Clay, Dora" <dora@mill.example>, team: (x) egon@mill.example;, "`)
	f.Fuzz(func(t *testing.T, list string) {
		for _, a := range addresses(list) {
			if again := addresses(a); len(again) != 1 || again[0] != a {
				t.Errorf("%q gives %q, which gives %q", list, a, again)
			}
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("Tue, 5 Mar 2019 12:00:00.5 PM GMT+01:00 (x)")
	f.Add("2019-03-05T12:00:00Z")
	f.Add("5-Mar-119 12.00.00")
	f.Fuzz(func(t *testing.T, text string) {
		date, ok := parseDate(text)
		if !ok {
			return
		}
		if again, ok := parseDate(date.Format(time.RFC1123Z)); date.Year() >= 1900 && date.Year() <= 9999 && (!ok || again != date) {
			t.Errorf("%q is %v, which reads back as %v", text, date, again)
		}
	})
}

package mail

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// readDamaged reads one file and describes what comes out: subjects, contained errors, and how it ends.
func readDamaged(t testing.TB, data string, opts Options) []string {
	t.Helper()
	path := filepath.Join(files(t, map[string]string{"file": data}), "file")
	messages, damaged, err := readAll(open(t, path, opts))
	var out []string
	for _, m := range messages {
		out = append(out, m.Subject)
	}
	for _, d := range damaged {
		if d.Source != path {
			t.Errorf("damage in %q, want %q", d.Source, path)
		}
		out = append(out, strings.ReplaceAll(d.Error(), path, "file"))
	}
	var failed *FileError
	switch {
	case errors.As(err, &failed):
		out = append(out, "END "+strings.ReplaceAll(failed.Error(), path, "file"))
	case err != nil:
		t.Errorf("unexpected kind of error: %v", err)
	}
	return out
}

func jsonLine(subject string) string {
	return fmt.Sprintf(`{"id":"1","user":"u","from":"a@b","to":[],"cc":[],"date":"2019-03-05T08:15:00Z","subject":%q,"body":"b","folder":"f"}`+"\n", subject)
}

func TestDamagedJSONLines(t *testing.T) {
	good := jsonLine("good")
	size := len(good)
	check := func(data string, want ...string) {
		t.Helper()
		got := readDamaged(t, data, Options{MaxMessageBytes: 200_000})
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	at := func(ordinal, line, offset int, cause string) string {
		return fmt.Sprintf("mail: file: message %d at line %d (byte %d): %s", ordinal, line, offset, cause)
	}
	check(good+good, "good", "good")
	check(good+`{"id": 1}`+"\n"+good, "good", "good", at(1, 2, size, `"id" holds a number, not a string`))
	check(good+`{"to": "a@b"}`+"\n", "good", at(1, 2, size, `"to" holds a string, not a list of strings`))
	check(good+"[1]\n"+good, "good", "good", at(1, 2, size, "a JSON array, not an object"))
	check(good+"\n{\"id\": }\n"+good, "good", "good",
		at(1, 3, size+1, "not a JSON object: invalid character '}' looking for beginning of value"))
	check("{}\n"+good, "good", at(0, 1, 0, `the object has no "id"`))
	check(good+strings.Replace(good, "2019-03-05", "2019-02-30", 1), "good",
		at(1, 2, size, `"date" is not an RFC 3339 time: parsing time "2019-02-30T08:15:00Z": day out of range`))
	check(strings.Replace(good, `"u"`, `"`+strings.Repeat("u", 999)+`"`, 1), at(0, 1, 0, `"user" holds 999 bytes, the limit is 998`))
	check(strings.Replace(good, `"to":[`, `"to":["`+strings.Repeat("u", 999)+`"`, 1), at(0, 1, 0, `"to" holds 999 bytes, the limit is 998`))
	check(jsonLine(strings.Repeat("x", 200_000))+good, "good",
		at(0, 1, 0, "the message is larger than the limit of 200000 bytes"))
	check(good+`{"id": 1}`, "good", at(1, 2, size, `"id" holds a number, not a string`)) // complete, if wrong
	check(good+good[:size-2], "good",
		fmt.Sprintf("END mail: file: at line 2 (byte %d): the file is cut off inside a JSON object", 2*size-2))
}

func TestDamagedMbox(t *testing.T) {
	const from = "From a@b Tue Mar  5 12:00:00 2019\n"
	const good = from + "Subject: good\n\nbody\n\n"
	check := func(data string, want ...string) {
		t.Helper()
		got := readDamaged(t, data, Options{MaxMessageBytes: 200_000})
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	check(good+good, "good", "good")
	check(good+from+good, "good", "good",
		fmt.Sprintf("mail: file: message 1 at byte %d: no header field: this is not a mail message", len(good)))
	tooLarge := "mail: file: message 0 at byte 0: the message is larger than the limit of 200000 bytes"
	check(from+"Subject: x\n\n"+strings.Repeat("x", 200_001)+"\n\n"+good, "good", tooLarge)
	check(from+"Subject: x\n\n"+strings.Repeat("12345678\n", 23_000)+"\n"+good, "good", tooLarge)
	check(good+strings.TrimSuffix(good, "body\n\n")+"bo", "good",
		fmt.Sprintf("END mail: file: at byte %d: the file is cut off inside a line of the last message", 2*len(good)-4))
}

// Cut anywhere, a gzip file never looks complete, and never gives a message that is not in it.
func TestTruncatedGzip(t *testing.T) {
	check := func(data string) {
		t.Helper()
		whole := zipped(t, data)
		complete := readDamaged(t, whole, Options{})
		rapid.Check(t, func(rt *rapid.T) {
			cut := rapid.IntRange(2, len(whole)-1).Draw(rt, "cut")
			path := filepath.Join(files(t, map[string]string{"file": whole[:cut]}), "file")
			source, err := Open(path, Options{})
			if err == nil {
				defer source.Close()
				var messages []Message
				messages, _, err = readAll(source)
				if len(messages) > len(complete) {
					rt.Errorf("%d messages of %d", len(messages), len(complete))
				}
			}
			if !errors.Is(err, ErrTruncated) || !strings.Contains(err.Error(), path) {
				rt.Errorf("cut at %d of %d: %v", cut, len(whole), err)
			}
		})
	}
	check(strings.Repeat(jsonLine("good"), 30))
	check(string(readTestdata(t, "mill.mbox")))
}

// Plain JSON lines cut inside a line never look complete, whether read or skipped.
func TestTruncatedJSONLines(t *testing.T) {
	data := jsonLine("one") + jsonLine("two")
	first := len(jsonLine("one"))
	rapid.Check(t, func(rt *rapid.T) {
		cut := rapid.IntRange(first+1, len(data)-2).Draw(rt, "cut")
		path := filepath.Join(files(t, map[string]string{"file": data[:cut]}), "file")
		source := open(t, path, Options{})
		_, damaged, err := readAll(source)
		var failed *FileError
		if !errors.As(err, &failed) || !errors.Is(err, ErrTruncated) || damaged != nil {
			rt.Fatalf("cut at %d: %v, %v", cut, damaged, err)
		}
		if failed.Line != 2 || failed.Offset != int64(cut) {
			rt.Errorf("cut at %d: line %d, offset %d", cut, failed.Line, failed.Offset)
		}
		if err := open(t, path, Options{}).Skip(2); !errors.Is(err, ErrTruncated) {
			rt.Errorf("skipping over the cut at %d: %v", cut, err)
		}
		if _, again := source.Next(); again != err {
			rt.Errorf("a second call gives %v", again)
		}
	})
}

func TestCorruptGzip(t *testing.T) {
	whole := []byte(zipped(t, strings.Repeat(jsonLine("good"), 30)))
	check := func(data string, want string) {
		t.Helper()
		got := readDamaged(t, data, Options{})
		if last := got[len(got)-1]; !strings.HasPrefix(last, "END mail: file: at line ") || !strings.Contains(last, want) {
			t.Errorf("ends with %q, want %q", last, want)
		}
	}
	checksum := append([]byte(nil), whole...)
	checksum[len(checksum)-8] ^= 1
	check(string(checksum), "gzip data is damaged")
	check(string(whole)+"something else", "followed by something else")
}

func TestDamagedMaildir(t *testing.T) {
	root := files(t, map[string]string{
		"cur/1.x": shortMail + "good\n\n",
		"cur/2.x": "no mail",
		"cur/3.x": zipped(t, shortMail+"cut off\n\n")[:30],
		"cur/4.x": shortMail + strings.Repeat("large", 1000),
		"cur/5.x": shortMail + "good\n\n",
	})
	messages, damaged, err := readAll(open(t, root, Options{MaxMessageBytes: 4000}))
	if err != nil || len(messages) != 2 || len(damaged) != 3 {
		t.Fatalf("%d messages, damage %v, error %v", len(messages), damaged, err)
	}
	check := func(got *MessageError, name string, ordinal int64, want string) {
		t.Helper()
		if got.Source != filepath.Join(root, "cur", name) || got.Ordinal != ordinal || got.Err.Error() != want {
			t.Errorf("%v", got)
		}
	}
	check(damaged[0], "2.x", 1, "no header field: this is not a mail message")
	check(damaged[1], "3.x", 2, "the gzip data ends too early: the file is cut off")
	check(damaged[2], "4.x", 3, "the message is larger than the limit of 4000 bytes")
	if !errors.Is(damaged[2], ErrTooLarge) || !errors.Is(damaged[1], ErrTruncated) {
		t.Error("the causes cannot be asked for")
	}
}

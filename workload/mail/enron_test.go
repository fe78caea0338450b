package mail

import (
	"io"
	"os"
	"testing"
)

// TestEnron counts what the workload stores for the Enron mail: the numbers are known from another program.
func TestEnron(t *testing.T) {
	path := os.Getenv("ILIUM_ENRON")
	if path == "" {
		t.Skip("ILIUM_ENRON does not name the Enron mail; skipped")
	}
	source, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var messages, words, correspondents int
	for {
		m, err := source.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		messages++
		words += len(DistinctWords(m.Subject, m.Body))
		correspondents += len(Correspondents(m))
	}
	check := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	check("messages", messages, 48_732)
	check("(message, word) pairs", words, 5_494_709)
	check("(message, correspondent) pairs", correspondents, 372_563)
	check("position", int(source.Position()), messages)
	check("bytes read", int(source.Offset()), int(source.Size()))
}

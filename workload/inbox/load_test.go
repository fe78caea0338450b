package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/workload/mail"
)

// checkTables wants as many rows in the tables as a list has messages and postings.
func checkTables(t testing.TB, in *Inbox, l *list) {
	t.Helper()
	want := expected(l)
	for table, want := range map[string]int64{"messages": want.Messages, "term_index": want.Terms, "interactions": want.Interactions} {
		if got := in.count(t, table); got != want {
			t.Errorf("%s has %d rows, want %d", table, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	in := newInbox(t)
	mails := invented(t, 60)
	var reported Progress
	p, err := in.Load(t.Context(), mails, LoadOptions{Progress: func(p Progress) { reported = p }})
	if err != nil {
		t.Fatal(err)
	}
	if reported != p || p.Elapsed <= 0 {
		t.Errorf("reported %+v at the end, returned %+v", reported, p)
	}
	want := expected(mails)
	if p.Elapsed = 0; p != want || want.Postings() != want.Terms+want.Interactions {
		t.Errorf("got %+v, want %+v", p, want)
	}
	checkTables(t, in, mails)
	if result := in.check(t, mails, all); int64(result.Hits) < want.Postings() {
		t.Errorf("checked only %+v of %d postings", result, want.Postings())
	}

	// A second load finds everything done.
	again := in.load(t, mails.again())
	if again.Skipped != 60 || again.Messages != 0 || again.Postings() != 0 {
		t.Errorf("the second load did %+v", again)
	}
	checkTables(t, in, mails)
}

// Rows may be written without batches, and in small ones.
func TestBatchSizes(t *testing.T) {
	for _, bytes := range []int{-1, 1, 500} {
		in, mails := newInbox(t), invented(t, 30)
		if _, err := in.Load(t.Context(), mails, LoadOptions{Batch: bytes}); err != nil {
			t.Fatal(err)
		}
		checkTables(t, in, mails)
		in.check(t, mails, all)
	}
}

func TestLoadStoresWholeMessages(t *testing.T) {
	in := newInbox(t)
	want := mail.Message{ID: "id/1", User: "ada", From: "bob@x", To: []string{"eve@x", "pat@x"}, CC: []string{"joe@x"},
		Date: time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), Subject: "Grüße", Body: "two\nlines", Folder: "a/b"}
	empty := mail.Message{ID: "2", User: "ada", Date: want.Date}
	in.load(t, &list{name: "whole", letters: []letter{{Message: &want}, {Message: &empty}}})
	for _, want := range []mail.Message{want, empty} {
		stored := mail.Message{User: want.User}
		in.one(t, "SELECT message_id, sender, recipients, cc, sent_at, subject, body, folder FROM inbox.messages WHERE user_id = ? AND message_id = ?",
			[]any{want.User, want.ID},
			&stored.ID, &stored.From, &stored.To, &stored.CC, &stored.Date, &stored.Subject, &stored.Body, &stored.Folder)
		if fmt.Sprint(stored) != fmt.Sprint(want) {
			t.Errorf("stored %+v, want %+v", stored, want)
		}
	}
}

// interruptAt returns the context of a load of l that ends when the letter at position is read.
func interruptAt(t testing.TB, l *list, position int) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	l.reading = func(at int) {
		if at == position {
			cancel()
		}
	}
	return ctx
}

func TestInterruptedLoad(t *testing.T) {
	in := newInbox(t)
	mails := invented(t, 120)
	mails.letters[5] = letter{err: &mail.MessageError{Err: mail.ErrTooLarge}}
	first, err := in.Load(interruptAt(t, mails, 80), mails, LoadOptions{Workers: 1})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want %v", err, context.Canceled)
	}
	if _, err := in.Check(t.Context(), mails.again(), all); err == nil || !strings.Contains(err.Error(), "run load first") {
		t.Errorf("Check of half the mail: error %v", err)
	}
	rest := in.load(t, mails.again())
	// One letter may wait for the worker and one may be in its hands.
	if rest.Skipped < 78 || rest.Skipped > 80 || rest.Skipped != first.Messages+1 || rest.Skipped+rest.Messages != 120 {
		t.Errorf("the first load did %+v, the second %+v", first, rest)
	}
	checkTables(t, in, mails)
	in.check(t, mails, some)
}

// The progress is saved while the load goes on, for a process that is killed.
func TestProgressIsSaved(t *testing.T) {
	in, mails := newInbox(t), invented(t, 30)
	progress := make(chan Progress, 1000)
	var position int64
	var complete bool
	mails.reading = func(at int) {
		if at != 20 {
			return
		}
		<-progress
		var err error
		if position, complete, err = in.progress(t.Context(), mails); err != nil {
			t.Error(err)
		}
	}
	p, err := in.Load(t.Context(), mails, LoadOptions{Workers: 1, Progress: func(p Progress) { progress <- p }})
	if err != nil || p.Messages != 30 {
		t.Fatalf("got %+v and error %v", p, err)
	}
	if position < 1 || position > 20 || complete {
		t.Errorf("in the middle, position %d and complete=%v are saved", position, complete)
	}
	if position, complete, err = in.progress(t.Context(), mails); position != 30 || !complete || err != nil {
		t.Errorf("in the end, position %d and complete=%v are saved, error %v", position, complete, err)
	}
}

func TestWritesFail(t *testing.T) {
	for _, table := range []string{"messages", "term_index", "interactions"} {
		in, mails := newInbox(t), written("ada 1 100 bob@x eve@x yarn")
		in.exec(t, "DROP TABLE inbox."+table)
		p, err := in.Load(t.Context(), mails, LoadOptions{})
		if err == nil || !strings.Contains(err.Error(), "writing message 1 of ada: ") || p.Messages != 0 {
			t.Errorf("without %s: got %+v and error %v", table, p, err)
		}
	}
}

// However often and wherever a load is interrupted, the end is the same.
func TestLoadInterruptedManyTimes(t *testing.T) {
	in := newInbox(t)
	mails := invented(t, 100)
	mails.letters[40].err = &mail.MessageError{Err: errors.New("damaged")}
	runs := 0
	for at := 15; at < 100; at += 15 {
		part := mails.again()
		if _, err := in.Load(interruptAt(t, part, at), part, LoadOptions{}); errors.Is(err, context.Canceled) {
			runs++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if runs == 0 {
		t.Error("no load was interrupted")
	}
	if p := in.load(t, mails.again()); p.Skipped+p.Messages+p.Damaged != 100 {
		t.Errorf("the last load did %+v", p)
	}
	checkTables(t, in, mails)
	in.check(t, mails, some)
}

func TestDamagedMessages(t *testing.T) {
	in := newInbox(t)
	mails := invented(t, 30)
	for _, at := range []int{0, 7, 8, 29} {
		mails.letters[at] = letter{err: &mail.MessageError{Ordinal: int64(at), Err: mail.ErrTooLarge}}
	}
	var passed []int64
	p, err := in.Load(t.Context(), mails, LoadOptions{Damaged: func(err error) {
		var damaged *mail.MessageError
		if errors.As(err, &damaged) {
			passed = append(passed, damaged.Ordinal)
		}
	}})
	if p.Elapsed = 0; err != nil || p != expected(mails) {
		t.Errorf("got %+v and error %v, want %+v", p, err, expected(mails))
	}
	if fmt.Sprint(passed) != "[0 7 8 29]" {
		t.Errorf("passed over %v", passed)
	}
	checkTables(t, in, mails)
	in.check(t, mails, some)
}

// Damage that may hide further messages ends the load with an error, and what was read stays.
func TestSourceEndsWithError(t *testing.T) {
	in := newInbox(t)
	mails := invented(t, 30)
	cut := &mail.FileError{Path: "cut.gz", Err: mail.ErrTruncated}
	mails.letters[20].err = cut
	p, err := in.Load(t.Context(), mails, LoadOptions{})
	if !errors.Is(err, mail.ErrTruncated) || p.Messages != 20 {
		t.Errorf("got %+v and error %v, want 20 messages and %v", p, err, cut)
	}
	if _, err := in.Check(t.Context(), mails.again(), all); err == nil {
		t.Error("Check of mail that could not be loaded succeeds")
	}
	mails.letters[20].err = nil // the file was mended
	if p := in.load(t, mails.again()); p.Skipped != 20 || p.Messages != 10 {
		t.Errorf("the second load did %+v", p)
	}
	in.check(t, mails, some)
}

func TestSourceIsShorterThanBefore(t *testing.T) {
	in := newInbox(t)
	mails := invented(t, 30)
	if _, err := in.Load(interruptAt(t, mails, 20), mails, LoadOptions{Workers: 1}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	short := &list{name: mails.name, letters: mails.letters[:5]}
	if _, err := in.Load(t.Context(), short, LoadOptions{}); err == nil || !strings.Contains(err.Error(), "skipping what is loaded") {
		t.Errorf("error %v", err)
	}
}

func TestNegativeWorkers(t *testing.T) {
	if _, err := newInbox(t).Load(t.Context(), fewMails(), LoadOptions{Workers: -1}); err == nil || !strings.Contains(err.Error(), "negative") {
		t.Errorf("error %v", err)
	}
}

// distinctWords returns n words of the same length.
func distinctWords(n, length int) []string {
	words := make([]string, n)
	for i := range words {
		name := []byte(strings.Repeat("x", length))
		for at, rest := 0, i; at < 4; at, rest = at+1, rest/26 {
			name[at] = byte('a' + rest%26)
		}
		words[i] = string(name)
	}
	return words
}

// A message may have all of the 8 MiB that the workload takes.
func TestHugeMessage(t *testing.T) {
	const words, length, limit = 10_000, 100, 8 << 20
	in := newInbox(t)
	line := strings.Join(distinctWords(words, length), " ") + "\n"
	mails := written("ada 1 100 bob@x eve@x small", "ada 2 200 bob@x eve@x replaced", "ada 3 300 bob@x eve@x small")
	mails.letters[1].Body = strings.Repeat(line, limit/len(line)) + strings.Repeat(".", limit%len(line)-1024)
	if p := in.load(t, mails); p.Terms != words+2 {
		t.Errorf("loaded %+v", p)
	}
	checkTables(t, in, mails)
	var body string
	in.one(t, "SELECT body FROM inbox.messages WHERE user_id = 'ada' AND message_id = '2'", nil, &body)
	if body != mails.letters[1].Body {
		t.Errorf("the stored body has %d bytes and is not the one of %d", len(body), len(mails.letters[1].Body))
	}
	in.check(t, mails, some)
}

func TestManyCorrespondents(t *testing.T) {
	in := newInbox(t)
	addresses := distinctWords(900, 40)
	mails := written("ada 1 100 bob@x eve@x list,of,all")
	mails.letters[0].To, mails.letters[0].CC = addresses[:500], addresses[500:]
	if p := in.load(t, mails); p.Interactions != 901 {
		t.Errorf("loaded %+v", p)
	}
	in.check(t, mails, some)
}

// Names may all be as long as package mail lets them be.
func TestLongNames(t *testing.T) {
	const longest = 998
	in := newInbox(t)
	mails := written("ada 1 100 bob@x eve@x replaced")
	m := mails.letters[0].Message
	m.User, m.ID, m.From = strings.Repeat("u", longest), strings.Repeat("i", longest), strings.Repeat("f", longest)
	m.To = distinctWords(900, longest)
	m.Body = strings.Join(distinctWords(900, mail.MaxWordBytes), " ")
	in.load(t, mails)
	in.check(t, mails, some)
}

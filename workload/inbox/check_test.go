package inbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/workload/mail"
)

// fewMails is mail in which ada has the word yarn in forty messages, more than two pages of Check,
// and blue in every second of them.
func fewMails() *list {
	var lines []string
	for i := range 40 {
		words := "yarn"
		if i%2 == 0 {
			words += ",blue"
		}
		lines = append(lines, fmt.Sprintf("ada %02d %d bob@x ada@x %s", i, 1000+i/3, words))
	}
	return written(append(lines, "eve 1 1000 bob@x eve@x yarn")...)
}

// difference loads fewMails, damages the tables, and returns what Check finds.
func difference(t testing.TB, opts CheckOptions, damage func(in *Inbox)) *Difference {
	t.Helper()
	in, mails := newInbox(t), fewMails()
	in.load(t, mails)
	in.check(t, mails, all)
	damage(in)
	_, err := in.Check(t.Context(), mails.again(), opts)
	var d *Difference
	if !errors.As(err, &d) {
		t.Fatalf("error %v, want a Difference", err)
	}
	return d
}

// second returns the time that a message of fewMails has.
func second(message int) time.Time { return time.Unix(int64(1000+message/3), 0) }

func TestCheckFindsWhatIsWrong(t *testing.T) {
	const (
		addTerm        = "INSERT INTO inbox.term_index (user_id, word, sent_at, message_id) VALUES (?, ?, ?, ?)"
		addPeer        = "INSERT INTO inbox.interactions (user_id, peer, sent_at, message_id) VALUES (?, ?, ?, ?)"
		removeTerm     = "DELETE FROM inbox.term_index WHERE user_id = ? AND word = ? AND sent_at = ? AND message_id = ?"
		removePeer     = "DELETE FROM inbox.interactions WHERE user_id = ? AND peer = ? AND sent_at = ? AND message_id = ?"
		removeAllTerms = "DELETE FROM inbox.term_index WHERE user_id = ? AND word = ?"
	)
	check := func(want string, damage func(in *Inbox)) {
		t.Helper()
		if d := difference(t, all, damage); !strings.Contains(d.Error(), want) {
			t.Errorf("found %v, want %s", d, want)
		}
	}
	run := func(text string, values ...any) func(in *Inbox) {
		return func(in *Inbox) {
			t.Helper()
			in.exec(t, text, values...)
		}
	}
	check(`user ada, words ["yarn"]: hit 26 is 13 of 1970-01-01 00:16:44 +0000 UTC; in the mail it is 12 of`,
		run(removeTerm, "ada", "yarn", second(12), "12"))
	check(`user ada, words ["yarn"]: the answer ends after 39 hits; the mail has 40`, run(removeTerm, "ada", "yarn", second(0), "02"))
	check(`user ada, words ["blue"]: the answer ends after 0 hits; the mail has 20`, run(removeAllTerms, "ada", "blue"))
	check(`user ada, words ["yarn"]: hit 1 is 38x of`, run(addTerm, "ada", "yarn", second(39), "38x"))
	check(`user eve, words ["yarn"]: hit 2 is 2 of 1970-01-01 00:00:00 +0000 UTC; the mail has only 1`, run(addTerm, "eve", "yarn", time.Unix(0, 0), "2"))
	check(`user ada, correspondent bob@x: hit 1 is 01 of`, func(in *Inbox) {
		in.exec(t, removePeer, "ada", "bob@x", second(1), "01")
		in.exec(t, addPeer, "ada", "bob@x", second(1).AddDate(1, 0, 0), "01") // the date alone is wrong
	})
	check(`user ada, words ["yarn"]: hit 1 is 39 of 1970-01-01 00:16:53.001 +0000 UTC`, func(in *Inbox) {
		in.exec(t, removeTerm, "ada", "yarn", second(39), "39")
		in.exec(t, addTerm, "ada", "yarn", second(39).Add(time.Millisecond), "39")
	})
}

// The answers to two words at once are compared as well.
func TestCheckComparesPairsOfWords(t *testing.T) {
	in, mails := newInbox(t), fewMails()
	in.load(t, mails)
	var result CheckResult
	questions := []question{{user: "ada", key: "blue"}, {user: "ada", key: "yarn"}}
	want := []Hit{}
	for i := 38; i >= 0; i -= 2 {
		want = append(want, Hit{SentAt: second(i), MessageID: fmt.Sprintf("%02d", i)})
	}
	slices.SortFunc(want, compareHits)
	if err := in.checkOne(t.Context(), questions, want, &result); err != nil || result.Hits != 20 {
		t.Errorf("%+v and error %v", result, err)
	}
	err := in.checkOne(t.Context(), questions, want[1:], &result)
	if err == nil || !strings.Contains(err.Error(), `words ["blue" "yarn"]: hit 1 is 36`) {
		t.Errorf("error %v", err)
	}
}

func TestCheckNeedsTheWholeMail(t *testing.T) {
	in := newInbox(t)
	if _, err := in.Check(t.Context(), fewMails(), all); err == nil || !strings.Contains(err.Error(), "run load first") {
		t.Errorf("error %v", err)
	}
	mails := fewMails()
	in.load(t, mails)
	mails.letters[3].err = &mail.FileError{Path: "cut.gz", Err: mail.ErrTruncated}
	if _, err := in.Check(t.Context(), mails.again(), all); !errors.Is(err, mail.ErrTruncated) {
		t.Errorf("error %v, want %v", err, mail.ErrTruncated)
	}
}

func TestCheckOfNegativeSamples(t *testing.T) {
	in, mails := newInbox(t), fewMails()
	in.load(t, mails)
	for _, opts := range []CheckOptions{{Words: -1}, {Peers: -1}} {
		if _, err := in.Check(t.Context(), mails.again(), opts); err == nil || !strings.Contains(err.Error(), "negative") {
			t.Errorf("%+v: error %v", opts, err)
		}
	}
}

func TestDifferenceNamesTheSearch(t *testing.T) {
	check := func(d Difference, want string) {
		t.Helper()
		if d.Error() != want {
			t.Errorf("got %s, want %s", d.Error(), want)
		}
	}
	check(Difference{User: "ada", Words: []string{"a", "b"}, Text: "x"}, `user ada, words ["a" "b"]: x`)
	check(Difference{User: "ada", Peer: "bob@x", Text: "x"}, `user ada, correspondent bob@x: x`)
}

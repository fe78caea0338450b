package inbox

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/iliumdb/ilium/workload/mail"
)

func sampleOf(t testing.TB, l *list, opts sampleOptions) *sample {
	t.Helper()
	s, err := takeSample(l.again(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The answers of a sample are those of the whole mail, whatever the size of the sample.
func TestSampleIsRight(t *testing.T) {
	mails := invented(t, 60)
	everything := sampleOf(t, mails, sampleOptions{words: 1 << 30, peers: 1 << 30})
	if want := expected(mails); int64(hitsOf(everything)) != want.Postings() {
		t.Errorf("the whole mail has %d hits, want %d", hitsOf(everything), want.Postings())
	}
	for _, user := range usersOf(mails) {
		m := newModel(mails, user)
		for q, hits := range everything.answers {
			index := m.words
			if q.peer {
				index = m.peers
			}
			if q.user == user && !slices.EqualFunc(hits, answer(index, []string{q.key}), Hit.equal) {
				t.Errorf("%+v: answer %v", q, hits)
			}
		}
	}
	for _, size := range []int{1, 10, 300} {
		part := sampleOf(t, mails, sampleOptions{words: size, peers: size / 2, seed: 3})
		if words, peers := len(part.of(false)), len(part.of(true)); words != size || peers != min(size/2, len(everything.of(true))) {
			t.Errorf("a sample of %d has %d words and %d correspondents", size, words, peers)
		}
		for q, hits := range part.answers {
			if !reflect.DeepEqual(hits, everything.answers[q]) {
				t.Errorf("%+v: the sample says %v, the mail %v", q, hits, everything.answers[q])
			}
		}
	}
}

func hitsOf(s *sample) (n int) {
	for _, hits := range s.answers {
		n += len(hits)
	}
	return n
}

func usersOf(l *list) []string {
	users := make(map[string]bool)
	for _, m := range l.letters {
		users[m.User] = true
	}
	return slices.Collect(maps.Keys(users))
}

func TestSampleDependsOnSeedAlone(t *testing.T) {
	mails := invented(t, 60)
	opts := sampleOptions{words: 50, peers: 20, seed: 1}
	first := sampleOf(t, mails, opts)
	if again := sampleOf(t, mails, opts); !reflect.DeepEqual(first, again) {
		t.Error("one seed gave two samples")
	}
	reversed := mails.again()
	reversed.letters = slices.Clone(reversed.letters)
	slices.Reverse(reversed.letters)
	if again := sampleOf(t, reversed, opts); !reflect.DeepEqual(first, again) {
		t.Error("the sample depends on the order of the mail")
	}
	opts.seed = 2
	if other := sampleOf(t, mails, opts); reflect.DeepEqual(first.order, other.order) {
		t.Error("two seeds gave one sample")
	}
}

func TestSampleOfDamagedMail(t *testing.T) {
	mails := written("ada 1 100 bob@x eve@x yarn", "ada 2 100 bob@x eve@x yarn", "ada 3 100 bob@x eve@x yarn")
	mails.letters[1].err = &mail.MessageError{Err: mail.ErrTooLarge}
	s := sampleOf(t, mails, sampleOptions{words: 10, peers: 10})
	if len(s.order) != 3 || hitsOf(s) != 6 {
		t.Errorf("%d questions with %d hits, want 3 with 6", len(s.order), hitsOf(s))
	}
	mails.letters[1].err = &mail.FileError{Err: mail.ErrTruncated}
	if _, err := takeSample(mails.again(), sampleOptions{words: 10}); !errors.Is(err, mail.ErrTruncated) {
		t.Errorf("error %v, want %v", err, mail.ErrTruncated)
	}
}

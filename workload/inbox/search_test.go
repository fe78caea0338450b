package inbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/workload/mail"
)

func compareHits(a, b Hit) int {
	switch {
	case a.before(b):
		return -1
	case b.before(a):
		return 1
	default:
		return 0
	}
}

// A model answers searches from memory.
type model struct {
	words, peers map[string]map[Hit]bool // of one user
}

func newModel(l *list, user string) model {
	m := model{words: make(map[string]map[Hit]bool), peers: make(map[string]map[Hit]bool)}
	add := func(index map[string]map[Hit]bool, key string, hit Hit) {
		if index[key] == nil {
			index[key] = make(map[Hit]bool)
		}
		index[key][hit] = true
	}
	for _, letter := range l.letters {
		if letter.User != user {
			continue
		}
		hit := Hit{SentAt: letter.Date, MessageID: letter.ID}
		for _, w := range mail.Words(nil, letter.Subject+" "+letter.Body) {
			add(m.words, w, hit)
		}
		for _, p := range mail.Correspondents(letter.Message) {
			add(m.peers, p, hit)
		}
	}
	return m
}

// answer returns the hits in all sets, newest first.
func answer(index map[string]map[Hit]bool, keys []string) []Hit {
	if len(keys) == 0 {
		return nil
	}
	hits := slices.Collect(maps.Keys(index[keys[0]]))
	hits = slices.DeleteFunc(hits, func(h Hit) bool {
		return slices.ContainsFunc(keys[1:], func(key string) bool { return !index[key][h] })
	})
	slices.SortFunc(hits, compareHits)
	return hits
}

// A search returns the page of at most limit hits behind a hit.
type search func(limit int, after *Hit) ([]Hit, error)

func (in *Inbox) termSearch(t testing.TB, user string, words []string) search {
	return func(limit int, after *Hit) ([]Hit, error) { return in.Terms(t.Context(), user, words, limit, after) }
}

func (in *Inbox) peerSearch(t testing.TB, user, peer string) search {
	return func(limit int, after *Hit) ([]Hit, error) { return in.With(t.Context(), user, peer, limit, after) }
}

// checker is what testing.T and rapid.T have in common.
type checker interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkPages goes through an answer in pages of a size.
func checkPages(t checker, what string, next search, limit int, want []Hit) {
	t.Helper()
	var got []Hit
	var after *Hit
	for {
		page, err := next(limit, after)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got = append(got, page...)
		if len(page) < limit {
			break
		}
		after = &got[len(got)-1]
	}
	if !slices.EqualFunc(got, want, Hit.equal) {
		t.Fatalf("%s in pages of %d: got %v, want %v", what, limit, got, want)
	}
}

// randomMail draws the mail of one user in which dates are often equal and one message often has two versions.
func randomMail(t *rapid.T, user string) *list {
	name := func(prefix string, n int) *rapid.Generator[string] {
		return rapid.Map(rapid.IntRange(0, n-1), func(i int) string { return prefix + string(rune('a'+i)) })
	}
	return &list{name: user, letters: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) letter {
		return letter{Message: &mail.Message{
			User: rapid.SampledFrom([]string{user, user, user, user + "-other"}).Draw(t, "user"),
			ID:   name("id-", 12).Draw(t, "id"),
			Date: time.Unix(rapid.Int64Range(-2, 4).Draw(t, "date"), 0).UTC(),
			From: name("peer-", 3).Draw(t, "from"), To: rapid.SliceOfN(name("peer-", 3), 0, 2).Draw(t, "to"),
			Body: strings.Join(rapid.SliceOfN(name("word", 4), 0, 4).Draw(t, "words"), " "),
		}}
	}), 1, 25).Draw(t, "mail")}
}

// Every search gives what a plain look through the mail gives, in pages of any size, from any hit on.
func TestSearchAgainstModel(t *testing.T) {
	in := newInbox(t)
	users := 0
	rapid.Check(t, func(r *rapid.T) {
		users++
		user := fmt.Sprintf("user%d", users)
		mails := randomMail(r, user)
		if _, err := in.Load(t.Context(), mails, LoadOptions{}); err != nil {
			r.Fatal(err)
		}
		m := newModel(mails, user)
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"worda", "wordb", "wordc", "wordd", "missing"}), 0, 4).Draw(r, "search for")
		peer := rapid.SampledFrom([]string{"peer-a", "peer-b", "peer-c", "missing"}).Draw(r, "with")
		limit := rapid.IntRange(1, 9).Draw(r, "limit")
		wantTerms, wantPeers := answer(m.words, words), answer(m.peers, []string{peer})
		checkPages(r, fmt.Sprint(words), in.termSearch(t, user, words), limit, wantTerms)
		checkPages(r, peer, in.peerSearch(t, user, peer), limit, wantPeers)

		// From a hit that need not be there, nor be of the answer.
		after := Hit{SentAt: time.Unix(rapid.Int64Range(-3, 5).Draw(r, "after"), 0), MessageID: rapid.SampledFrom([]string{"", "id-c", "id-cc", "z"}).Draw(r, "id")}
		behind := slices.DeleteFunc(wantTerms, func(h Hit) bool { return !after.before(h) })
		got, err := in.Terms(t.Context(), user, words, 100, &after)
		if err != nil || !slices.EqualFunc(got, behind, Hit.equal) {
			r.Fatalf("%v behind %v: got %v and error %v, want %v", words, after, got, err, behind)
		}
	})
}

// Answers longer than what is fetched of an index at once, with runs of one date that are longer too.
func TestLongAnswers(t *testing.T) {
	in := newInbox(t)
	var lines []string
	for i := range 3 * pageRows {
		words := "common"
		if i%7 == 0 {
			words += ",seventh"
		}
		if i == 3*pageRows-1 || i == 2*pageRows {
			words += ",rare"
		}
		lines = append(lines, fmt.Sprintf("ada %03d %d bob@x eve@x %s", i*37%300, i/(pageRows+20), words))
	}
	mails := written(lines...)
	in.load(t, mails)
	m := newModel(mails, "ada")
	for _, words := range [][]string{{"common"}, {"common", "seventh"}, {"seventh", "common"}, {"common", "rare"}, {"rare", "seventh", "common"}, {"common", "common"}} {
		for _, limit := range []int{17, pageRows - 1, pageRows, pageRows + 1, 1000} {
			checkPages(t, fmt.Sprint(words), in.termSearch(t, "ada", words), limit, answer(m.words, words))
		}
	}
	checkPages(t, "bob", in.peerSearch(t, "ada", "bob@x"), 40, answer(m.peers, []string{"bob@x"}))
}

func TestSearchesWithoutAnswer(t *testing.T) {
	in := newInbox(t)
	in.load(t, written("ada 1 100 bob@x eve@x yarn,blue"))
	check := func(what string, next search) {
		t.Helper()
		checkPages(t, what, next, 10, nil)
	}
	check("no words", in.termSearch(t, "ada", nil))
	check("an unknown word", in.termSearch(t, "ada", []string{"yarn", "red"}))
	check("an unknown user", in.termSearch(t, "bob", []string{"yarn"}))
	check("a beginning of a word", in.termSearch(t, "ada", []string{"yar"}))
	check("an unknown correspondent", in.peerSearch(t, "ada", "pat@x"))
	if hits, err := in.Terms(t.Context(), "ada", []string{"yarn"}, 0, nil); len(hits) != 0 || err != nil {
		t.Errorf("limit 0: %v and error %v", hits, err)
	}
}

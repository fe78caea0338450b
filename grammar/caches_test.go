package grammar

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar/gen"
)

// hostile returns a text whose readings only the end tells apart, with brackets nested at random: each
// way to nest them is a state of a cache.
func hostile(random *rand.Rand, brackets int) string {
	var text strings.Builder
	text.WriteString("SELECT json - (a")
	var open []string
	for range brackets {
		if len(open) < MaxDepth-5 && random.IntN(3) > 0 {
			pair := []string{"[]", "()", "{}"}[random.IntN(3)]
			text.WriteString(", " + pair[:1] + "a")
			open = append(open, pair[1:])
		} else if last := len(open) - 1; last >= 0 {
			text.WriteString(open[last])
			open = open[:last]
		}
	}
	for i := len(open) - 1; i >= 0; i-- {
		text.WriteString(open[i])
	}
	return text.String() + ") FROM t"
}

// Hostile texts do not fill the caches: one text adds a bounded number of states, and a parser with
// many states is dropped.
func TestCachesAreBounded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := newParser()
	for range 3 {
		before := p.states()
		_, err := parse(p, hostile(random, 10*maxLookahead), (*gen.CqlParser).Root)
		if err == nil || !strings.Contains(err.Error(), "ambiguous up to here") {
			t.Errorf("got %v", err)
		}
		if grown := p.states() - before; grown < maxLookahead/10 || grown > 2*maxLookahead {
			t.Errorf("the caches have grown by %d states", grown)
		}
	}
	for i := range 30 {
		if _, err := Parse(hostile(random, maxLookahead/4)); err != nil {
			t.Errorf("text %d: %v", i, err)
		}
	}
	for _, p := range idle.parsers {
		if n := p.states(); n > keptStates {
			t.Errorf("a parser with %d states is kept", n)
		}
	}
}

// A parser that has seen a large text is not kept, and gives back what it learned otherwise.
func TestFreeList(t *testing.T) {
	var list freeList
	p := newParser()
	list.give(p)
	if got := list.take(); got != p {
		t.Errorf("took %p, gave %p", got, p)
	}
	if got := list.take(); got != nil {
		t.Errorf("took %p from an empty list", got)
	}
	for range 1000 {
		list.give(p)
	}
	if n := len(list.parsers); n == 1000 {
		t.Error("the list keeps any number of parsers")
	}
	large := acquire()
	if _, err := parse(large, fmt.Sprintf("SELECT * FROM t WHERE a IN (%s?)", strings.Repeat("?, ", keptTokens)), (*gen.CqlParser).Root); err != nil {
		t.Fatal(err)
	}
	large.release()
	if idle.take() == large {
		t.Error("a parser with many tokens is kept")
	}
}

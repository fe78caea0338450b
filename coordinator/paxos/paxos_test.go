package paxos

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func ballot(time int64, node byte) Ballot {
	b := Ballot{Time: time, Nonce: 7}
	b.Node[15] = node
	return b
}

func proposal(time int64, node byte, change string) Proposal {
	b := ballot(time, node)
	return Proposal{Ballot: b, Origin: b, Change: []byte(change)}
}

func TestAcceptor(t *testing.T) {
	promise := func(time int64, node byte) func(*State) bool {
		return func(s *State) bool { return s.Promise(ballot(time, node)) }
	}
	accept := func(time int64, node byte) func(*State) bool {
		return func(s *State) bool { return s.Accept(proposal(time, node, "x")) }
	}
	commit := func(time int64, node byte) func(*State) bool {
		return func(s *State) bool { return s.Commit(proposal(time, node, "x")) }
	}
	type step struct {
		what string
		do   func(*State) bool
		want bool
	}
	for name, steps := range map[string][]step{
		"a round":            {{"promise", promise(1, 1), true}, {"accept", accept(1, 1), true}, {"commit", commit(1, 1), true}},
		"twice":              {{"promise", promise(1, 1), true}, {"promise", promise(1, 1), true}, {"accept", accept(1, 1), true}, {"accept", accept(1, 1), true}},
		"an older ballot":    {{"promise", promise(2, 1), true}, {"promise", promise(1, 2), false}, {"accept", accept(1, 2), false}},
		"a tie":              {{"promise", promise(2, 1), true}, {"promise", promise(2, 2), false}, {"accept", accept(2, 2), false}},
		"without a promise":  {{"accept", accept(2, 1), true}, {"promise", promise(1, 1), false}, {"promise", promise(3, 1), true}},
		"a commit without":   {{"commit", commit(2, 1), true}, {"promise", promise(2, 2), false}, {"accept", accept(2, 1), false}, {"promise", promise(3, 1), true}},
		"commits in reverse": {{"commit", commit(2, 1), true}, {"commit", commit(1, 1), false}},
		"a commit and a later promise": {{"promise", promise(1, 1), true}, {"promise", promise(5, 2), true}, {"commit", commit(1, 1), true},
			{"accept", accept(4, 1), false}, {"accept", accept(5, 2), true}},
	} {
		s := State{}
		for i, step := range steps {
			if got := step.do(&s); got != step.want {
				t.Errorf("%s, step %d: %s gives %v", name, i, step.what, got)
			}
		}
	}
}

func TestUnfinished(t *testing.T) {
	s := State{}
	s.Accept(proposal(2, 1, "x"))
	if !s.Unfinished() {
		t.Error("what was accepted is not unfinished")
	}
	if s.Commit(proposal(1, 1, "w")); !s.Unfinished() {
		t.Error("an older commit has finished it")
	}
	if s.Commit(proposal(3, 2, "x")); s.Unfinished() || s.Accepted.Change != nil {
		t.Error("a later commit has not finished it")
	}
}

func TestTells(t *testing.T) {
	var last Proposal
	var all []Proposal
	for i := range int64(20) {
		p := proposal(10*i+10, 1, "x")
		p.Before = last.History()
		all, last = append(all, p), p
	}
	check := func(p Proposal, origin Ballot, wantFound, wantKnown bool) {
		t.Helper()
		if found, known := p.Tells(origin); found != wantFound || known != wantKnown {
			t.Errorf("%d tells of %d: %v, %v", p.Ballot.Time, origin.Time, found, known)
		}
	}
	check(last, ballot(200, 1), true, true)
	check(last, ballot(150, 1), true, true)
	check(last, ballot(155, 1), false, true)
	check(last, ballot(115, 1), false, false)
	check(all[2], ballot(15, 1), false, true)
	check(all[2], ballot(5, 1), false, true)
	check(Proposal{}, ballot(5, 1), false, true)
	if n := len(last.History()); n != MaxBefore {
		t.Errorf("a history of %d", n)
	}
}

// Whatever is asked in whatever order, an acceptor keeps its promises and forgets nothing.
func TestPromisesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		var promised, accepted, committed int64 // the highest times
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			time, node := rapid.Int64Range(1, 12).Draw(t, "time"), byte(rapid.IntRange(1, 3).Draw(t, "node"))
			p := proposal(time, node, "x")
			before := s
			switch rapid.IntRange(0, 3).Draw(t, "verb") {
			case 0:
				if ok := s.Promise(p.Ballot); ok && time < promised || !ok && time > promised {
					t.Fatalf("a promise of %d above %d: %v", time, promised, ok)
				} else if ok {
					promised = time
				}
			case 1:
				ok := s.Accept(p)
				if ok && (time < promised || time <= committed) || !ok && time > promised {
					t.Fatalf("%d is accepted above %d and %d: %v", time, promised, committed, ok)
				}
				if ok {
					promised, accepted = time, time
				}
			case 2:
				if ok := s.Commit(p); ok != (time > committed) {
					t.Fatalf("a commit of %d above %d: %v", time, committed, ok)
				}
				committed, promised = max(committed, time), max(promised, time)
			case 3:
				var rest []byte
				var err error
				if s, rest, err = DecodeState(AppendState(nil, &s)); err != nil || len(rest) > 0 || !reflect.DeepEqual(s, before) {
					t.Fatalf("%v is %v after a restart: %v", before, s, err)
				}
			}
			if s.Promised.Time != promised || s.Committed.Ballot.Time != committed || s.Unfinished() != (accepted > committed) {
				t.Fatalf("%+v, not %d, %d, %d", s, promised, accepted, committed)
			}
			if before.Promised.Time == s.Promised.Time && before.Promised != (Ballot{}) && before.Promised != s.Promised {
				t.Fatal("two ballots of the same time were promised")
			}
		}
	})
}

func FuzzDecodeState(f *testing.F) {
	s := State{Promised: ballot(9, 1), Accepted: proposal(8, 2, "change")}
	s.Accepted.Before = s.Accepted.History()
	f.Add(AppendState(nil, &s))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, rest, err := DecodeState(b)
		if err != nil {
			return
		}
		again, _, err := DecodeState(AppendState(nil, &s))
		if err != nil || !reflect.DeepEqual(s, again) || len(rest) > len(b) {
			t.Fatalf("%+v is %+v, %v", s, again, err)
		}
		if !bytes.HasSuffix(b, rest) {
			t.Fatal("the rest is not the end")
		}
	})
}

func BenchmarkState(b *testing.B) {
	s := State{Promised: ballot(9, 1), Accepted: proposal(8, 2, "change"), Committed: proposal(7, 2, "change")}
	body := AppendState(nil, &s)
	b.ReportAllocs()
	for b.Loop() {
		got, _, err := DecodeState(body)
		if err != nil {
			b.Fatal(err)
		}
		got.Promise(ballot(10, 1))
		body = AppendState(body[:0], &s)
	}
}

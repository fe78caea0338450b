package ring

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func describe(moves []Move) string {
	var out []string
	for _, m := range moves {
		out = append(out, fmt.Sprintf("%s %s", m.Range, numbers(m.Endpoints)))
	}
	return strings.ReplaceAll(strings.Join(out, "; "), MinToken.String(), "end")
}

func TestMoves(t *testing.T) {
	var p *Placement
	start := func(endpoints ...Endpoint) { p = NewPlacement(topology(t, endpoints...), Simple(2), HostID{}) }
	check := func(moves []Move, want string) {
		t.Helper()
		if got := describe(moves); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	one, two := Endpoint{ID: host(1), Rack: "a", Tokens: []Token{10}}, Endpoint{ID: host(2), Rack: "b", Tokens: []Token{20}}
	three := Endpoint{ID: host(3), Rack: "b", Tokens: []Token{30}}
	joins := Endpoint{ID: host(4), Rack: "b", Tokens: []Token{25}, State: Joining}

	start(one, two, three)
	check(p.Gains(host(1)), "")
	check(p.Losses(host(1)), "")

	start(one, two, three, joins)
	check(p.Gains(host(4)), "(10,20] 3 2; (20,25] 1 3") // from whoever makes way
	check(p.Losses(host(3)), "(10,20] 4")
	check(p.Losses(host(1)), "(20,25] 4")
	check(p.Losses(host(2)), "")
	check(p.Gains(host(9)), "")

	leaves := two
	leaves.State = Leaving
	start(one, leaves, three)
	check(p.Losses(host(2)), "(end,10] 3; (10,20] 1; (30,end] 3")
	check(p.Gains(host(3)), "(end,10] 2 1; (30,end] 2 1")
	check(p.Gains(host(1)), "(10,20] 2 3")

	replaces := joins
	replaces.Tokens, replaces.Replaces = two.Tokens, two.ID
	start(one, two, three, replaces)
	check(p.Gains(host(4)), "(end,10] 1; (10,20] 3; (30,end] 1") // not from the dead one
	check(p.Losses(host(2)), "(end,20] 4; (30,end] 4")

	start(joins) // the first node of all
	check(p.Gains(host(4)), "(end,end] ")
	leaves = one
	leaves.State = Leaving
	start(leaves) // the last one
	check(p.Losses(host(1)), "(end,end] ")
	p = NewPlacement(p.Topology(), Local(), host(1))
	check(p.Losses(host(1)), "")
}

// What moves at each token, in brute force: a look at the replicas before and after.
func TestMovesAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, replication := anyTopology(t), anyReplication(t)
		settled := modelSettled(t, now)
		p := NewPlacement(now, replication, HostID{})
		var tokens []Token
		for _, e := range now.Endpoints() {
			for _, token := range e.Tokens {
				tokens = append(tokens, token-1, token, token+1)
			}
		}
		tokens = append(tokens, Token(rapid.Int64().Draw(t, "token")))
		for _, e := range now.Endpoints() {
			gains, losses := p.Gains(e.ID), p.Losses(e.ID)
			checkForm(t, gains)
			checkForm(t, losses)
			for _, m := range gains {
				after := strings.Fields(model(settled, replication, m.Range.End))
				if first := numbers(m.Endpoints[:min(1, len(m.Endpoints))]); m.Handover != (first != "" && !slices.Contains(after, first)) {
					t.Fatalf("handover of %s", describe(gains))
				}
			}
			for _, token := range tokens {
				before, after := strings.Fields(model(now, replication, token)), strings.Fields(model(settled, replication, token))
				id := numbers([]*Endpoint{e})
				was, is := slices.Contains(before, id), slices.Contains(after, id)
				checkAt(t, gains, token, !was && is, func(numbers string) bool { return isSources(now, numbers, before, after, e) })
				checkAt(t, losses, token, was && !is, func(numbers string) bool {
					return numbers == strings.Join(slices.DeleteFunc(after, func(n string) bool { return slices.Contains(before, n) }), " ")
				})
			}
		}
	})
}

// isSources reports whether the nodes are those that had the data and live, in the right order.
func isSources(now *Topology, nodes string, before, after []string, to *Endpoint) bool {
	rank := func(n string) int {
		for _, e := range now.Endpoints() {
			switch {
			case numbers([]*Endpoint{e}) != n:
			case !slices.Contains(after, n):
				return 0
			case e.Datacenter != to.Datacenter:
				return 3
			case e.Rack != to.Rack:
				return 2
			}
		}
		return 1
	}
	rest := slices.DeleteFunc(slices.Clone(before), func(n string) bool {
		return slices.ContainsFunc(now.Endpoints(), func(e *Endpoint) bool {
			return e.isReplacement() && numbers([]*Endpoint{now.Endpoint(e.Replaces)}) == n
		})
	})
	ranks := func(list []string) (out []int) {
		for _, n := range list {
			if r := rank(n); r == 1 && slices.Contains(after, n) || r != 1 {
				out = append(out, r)
			}
		}
		return out
	}
	return sortedNumbers(nodes) == sortedNumbers(strings.Join(rest, " ")) && slices.IsSorted(ranks(strings.Fields(nodes)))
}

func checkAt(t *rapid.T, moves []Move, token Token, want bool, right func(numbers string) bool) {
	found := false
	for _, m := range moves {
		if !m.Range.Contains(token) {
			continue
		}
		if found || !want || !right(numbers(m.Endpoints)) {
			t.Fatalf("token %d: moves %s, want one: %t", token, describe(moves), want)
		}
		found = true
	}
	if found != want {
		t.Fatalf("token %d: in a move: %t, want %t: %s", token, found, want, describe(moves))
	}
}

// checkForm checks that the moves ascend, do not lead over the end and are as few as can be.
func checkForm(t *rapid.T, moves []Move) {
	for i, m := range moves {
		if m.Range.Start >= m.Range.End && m.Range.End != MinToken {
			t.Fatalf("%s leads over the end", m.Range)
		}
		if i == 0 {
			continue
		}
		before := moves[i-1]
		if before.Range.End == MinToken || before.Range.End > m.Range.Start {
			t.Fatalf("not in order: %s", describe(moves))
		}
		if before.Range.End == m.Range.Start && before.Handover == m.Handover && slices.Equal(before.Endpoints, m.Endpoints) {
			t.Fatalf("not merged: %s", describe(moves))
		}
	}
}

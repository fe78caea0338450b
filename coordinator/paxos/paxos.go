// Package paxos is what one replica remembers of the agreement on a partition's conditional changes: the acceptor of
// Lamport's "Paxos Made Simple", as a value that changes by calls. It knows no disk and no network; package coordinator
// stores the State before it answers, and sends the requests.
//
// The changes of a partition are a sequence, and each is agreed upon by one instance of Paxos. An instance ends with
// the commit of its change, and the next one begins with the ballots above that; so one State serves all of them, as in
// Cassandra:
//
//   - Promise: nothing below the ballot is accepted anymore. The answer is the State, with what was accepted and not
//     committed: if there is such a Proposal, whoever asks has to finish it first.
//   - Accept: the change of a ballot that was promised. When a quorum has accepted it, it is decided.
//   - Commit: the change is made, and the instance over.
//
// Ballots are ordered by time alone, and of two ballots of the same time only the first one is promised: the time of a
// ballot is the write timestamp of its change too, and two changes must not have the same.
//
// A Proposal that is finished by somebody else keeps its Origin, by which the transaction that it came from finds out
// that it was carried out, and its bytes: carried out twice it is the same as once. It also tells of the changes that
// were decided before it, so that the transaction finds that out although others were decided since.
package paxos

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/ring"
)

// A Ballot numbers an attempt. The zero Ballot is before all others.
type Ballot struct {
	Time  int64       // microseconds since the epoch, or later to be above others
	Node  ring.HostID // that made it
	Nonce uint32      // random: the node's clock may have been set back
}

// After reports whether b is above o. Two ballots of the same time are not above each other.
func (b Ballot) After(o Ballot) bool { return b.Time > o.Time }

// A Proposal is a change under a ballot.
type Proposal struct {
	Ballot Ballot
	Origin Ballot // under which the change was proposed at first
	Before []Past // what was decided before, newest first, MaxBefore at most
	Change []byte // a mutation's wire form
}

// MaxBefore is how many earlier changes a Proposal tells of.
const MaxBefore = 8

// A Past is an earlier change.
type Past struct {
	Time   int64 // of the ballot under which it was decided
	Origin Ballot
}

// History returns what a change that is proposed after p tells of.
func (p *Proposal) History() []Past {
	if p.Ballot == (Ballot{}) {
		return nil
	}
	out := append(make([]Past, 0, MaxBefore), Past{p.Ballot.Time, p.Origin})
	return append(out, p.Before[:min(len(p.Before), MaxBefore-1)]...)
}

// A State is what an acceptor remembers of a partition. The zero State remembers nothing.
type State struct {
	Promised  Ballot
	Accepted  Proposal // zero if it is committed
	Committed Proposal // the newest
}

// Promise makes the acceptor accept nothing below b anymore. It reports false if it has promised that to another one
// already, and then changes nothing.
func (s *State) Promise(b Ballot) bool {
	if b == s.Promised {
		return true // asked twice
	}
	if !b.After(s.Promised) || !b.After(s.Committed.Ballot) {
		return false
	}
	s.Promised = b
	return true
}

// Accept takes a change, unless a later ballot was promised or its instance is over. The proposal is kept.
func (s *State) Accept(p Proposal) bool {
	if p.Ballot != s.Promised && !p.Ballot.After(s.Promised) || !p.Ballot.After(s.Committed.Ballot) {
		return false
	}
	s.Promised, s.Accepted = p.Ballot, p
	return true
}

// Commit notes that a change is decided, and reports whether it is the newest. One that is not may have been missed, and
// is to be made too: timestamps keep it from undoing newer ones. The proposal is kept.
func (s *State) Commit(p Proposal) bool {
	if !p.Ballot.After(s.Committed.Ballot) {
		return false
	}
	s.Committed = p
	if !s.Accepted.Ballot.After(p.Ballot) {
		s.Accepted = Proposal{}
	}
	if p.Ballot.After(s.Promised) {
		s.Promised = p.Ballot
	}
	return true
}

// Unfinished reports whether a change was accepted that is not known to be committed.
func (s *State) Unfinished() bool { return s.Accepted.Ballot.After(s.Committed.Ballot) }

// Tells reports whether p is the change that was proposed at first under origin, or comes after it. known is false if
// what p tells of does not reach back so far.
func (p *Proposal) Tells(origin Ballot) (found, known bool) {
	known = p.Ballot.Time < origin.Time || len(p.Before) < MaxBefore
	found = p.Origin == origin
	for i := range p.Before {
		found = found || p.Before[i].Origin == origin
		known = known || p.Before[i].Time < origin.Time
	}
	return found, known
}

const ballotSize = 8 + 16 + 4

// AppendBallot appends a ballot's bytes.
func AppendBallot(dst []byte, b Ballot) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(b.Time))
	return binary.BigEndian.AppendUint32(append(dst, b.Node[:]...), b.Nonce)
}

// AppendProposal appends a proposal's bytes.
func AppendProposal(dst []byte, p Proposal) []byte {
	dst = append(AppendBallot(AppendBallot(dst, p.Ballot), p.Origin), byte(len(p.Before)))
	for i := range p.Before {
		dst = binary.BigEndian.AppendUint64(dst, uint64(p.Before[i].Time))
		dst = AppendBallot(dst, p.Before[i].Origin)
	}
	return append(binary.AppendUvarint(dst, uint64(len(p.Change))), p.Change...)
}

// AppendState appends a state's bytes.
func AppendState(dst []byte, s *State) []byte {
	return AppendProposal(AppendProposal(AppendBallot(dst, s.Promised), s.Accepted), s.Committed)
}

var errShort = errors.New("the state of a round ends early")

// DecodeBallot takes a ballot from the front of b.
func DecodeBallot(b []byte) (out Ballot, rest []byte, err error) {
	if len(b) < ballotSize {
		return Ballot{}, nil, errShort
	}
	if out.Time = int64(binary.BigEndian.Uint64(b)); out.Time < 0 {
		return Ballot{}, nil, fmt.Errorf("a ballot of the time %d", out.Time)
	}
	copy(out.Node[:], b[8:])
	out.Nonce = binary.BigEndian.Uint32(b[24:])
	return out, b[ballotSize:], nil
}

// DecodeProposal takes a proposal from the front of b. It shares b's memory.
func DecodeProposal(b []byte) (p Proposal, rest []byte, err error) {
	if p.Ballot, b, err = DecodeBallot(b); err == nil {
		p.Origin, b, err = DecodeBallot(b)
	}
	if err != nil {
		return Proposal{}, nil, err
	}
	if p.Before, b, err = decodePast(b); err != nil {
		return Proposal{}, nil, err
	}
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return Proposal{}, nil, errShort
	}
	if b = b[size:]; n > 0 {
		p.Change = b[:n:n]
	}
	return p, b[n:], nil
}

func decodePast(b []byte) (out []Past, rest []byte, err error) {
	if len(b) == 0 || b[0] > MaxBefore {
		return nil, nil, errShort
	}
	n := int(b[0])
	b = b[1:]
	for range n {
		if len(b) < 8 {
			return nil, nil, errShort
		}
		p := Past{Time: int64(binary.BigEndian.Uint64(b))}
		if p.Origin, b, err = DecodeBallot(b[8:]); err != nil {
			return nil, nil, err
		}
		out = append(out, p)
	}
	return out, b, nil
}

// DecodeState takes a state from the front of b. It shares b's memory.
func DecodeState(b []byte) (s State, rest []byte, err error) {
	if s.Promised, b, err = DecodeBallot(b); err == nil {
		s.Accepted, b, err = DecodeProposal(b)
	}
	if err == nil {
		s.Committed, b, err = DecodeProposal(b)
	}
	return s, b, err
}

package coordinator

import (
	"github.com/iliumdb/ilium/coordinator/paxos"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// The bodies of the verbs: behind the epochs, VerbPrepare has the ballot and the Read, VerbAccept and VerbCommit the
// proposal.

func appendPrepare(e epochs, b paxos.Ballot, q *query) []byte {
	return storage.AppendRead(paxos.AppendBallot(e.append(nil), b), q.read, q.limit)
}

func decodePrepare(body []byte) (e epochs, b paxos.Ballot, q query, err error) {
	if body, err = e.take(body); err == nil {
		b, body, err = paxos.DecodeBallot(body)
	}
	if err == nil {
		q.read, q.limit, body, err = storage.DecodeRead(body)
	}
	if err == nil && len(body) > 0 {
		err = errLong
	}
	return e, b, q, err
}

func appendProposal(e epochs, p *paxos.Proposal) []byte {
	return paxos.AppendProposal(e.append(nil), *p)
}

func decodeProposal(body []byte) (e epochs, p paxos.Proposal, m *row.Mutation, err error) {
	if body, err = e.take(body); err == nil {
		p, body, err = paxos.DecodeProposal(body)
	}
	if err == nil && len(body) > 0 {
		err = errLong
	}
	if err == nil {
		m, err = mutationOf(&p)
	}
	return e, p, m, err
}

// mutationOf returns the change of a proposal.
func mutationOf(p *paxos.Proposal) (*row.Mutation, error) {
	m := new(row.Mutation)
	rest, err := m.Decode(p.Change)
	if err == nil && len(rest) > 0 {
		err = errLong
	}
	return m, err
}

func (p *promise) append(dst []byte) []byte {
	if !p.given {
		return paxos.AppendState(append(dst, 0), &p.state)
	}
	return append(paxos.AppendState(append(dst, 1), &p.state), p.block...)
}

func decodePromise(b []byte) (p promise, err error) {
	if len(b) == 0 || b[0] > 1 {
		return p, errShort
	}
	p.given = b[0] == 1
	p.state, p.block, err = paxos.DecodeState(b[1:])
	return p, err
}

func appendAccepted(dst []byte, ok bool, above paxos.Ballot) []byte {
	if ok {
		return paxos.AppendBallot(append(dst, 1), above)
	}
	return paxos.AppendBallot(append(dst, 0), above)
}

func decodeAccepted(b []byte) (ok bool, above paxos.Ballot, err error) {
	if len(b) == 0 || b[0] > 1 {
		return false, above, errShort
	}
	above, _, err = paxos.DecodeBallot(b[1:])
	return b[0] == 1, above, err
}

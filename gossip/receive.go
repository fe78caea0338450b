package gossip

import (
	"slices"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// receive takes in a packet and answers it. Nothing that is said by or of nodes that are not allowed is
// taken in.
func (m *Member) receive(a arrival) {
	in, err := parse(a.packet)
	if err == nil && (in.sender == m.self || !m.opts.Allowed(in.sender)) {
		return
	}
	var answers [][]byte
	var changes []Change
	m.mu.Lock()
	if err == nil {
		changes, answers, err = m.take(in)
	}
	m.learnAddress(in, changes)
	events, contested := m.judge(changes, a.at)
	if len(events) > 0 {
		m.look()
	}
	unlisted := err == nil && !m.listed[in.sender]
	m.mu.Unlock()
	if err != nil {
		m.opts.Log.Debug("gossip: a packet that cannot be read", "from", in.sender, "error", err)
		return
	}
	for _, answer := range answers {
		m.send(in.address.String(), answer)
	}
	if unlisted {
		m.invite(in.address.String())
	}
	for _, e := range events {
		m.opts.OnChange(e.id, e.up)
	}
	if contested {
		m.opts.OnContested()
	}
}

// take takes in what a packet says, and returns what is news and what is to be answered. mu must be held.
func (m *Member) take(in message) (changes []Change, answers [][]byte, err error) {
	if in.kind == kindDeltas {
		deltas, err := DecodeDeltas(in.body)
		if err != nil {
			return nil, nil, err
		}
		deltas = slices.DeleteFunc(deltas, func(d Delta) bool { return !m.heeds(d.Host) })
		return m.table.Merge(deltas), nil, nil
	}
	digests, err := DecodeDigests(nil, in.body)
	if err != nil {
		return nil, nil, err
	}
	digests = slices.DeleteFunc(digests, func(d Digest) bool { return !m.heeds(d.Host) })
	switch in.kind {
	case kindWanted:
		return nil, m.deltaPackets(m.table.Deltas(digests)), nil
	case kindDigests:
		changes = m.table.Observe(digests)
		if wanted := m.table.Wanted(digests); len(wanted) > 0 {
			answers = [][]byte{AppendDigests(m.start(kindWanted), wanted)}
		}
		return changes, answers, nil
	default:
		return nil, nil, &MessageError{"a packet of an unknown kind"}
	}
}

func (m *Member) heeds(id ring.HostID) bool { return id == m.self || m.opts.Allowed(id) }

// learnAddress takes the sender's address from a packet that has brought a later heartbeat of it: then it is
// of the latest process. mu must be held.
func (m *Member) learnAddress(in message, changes []Change) {
	if slices.ContainsFunc(changes, func(c Change) bool { return c.Host == in.sender && c.Beat }) {
		m.addresses[in.sender] = in.address.String()
	}
}

// An event is a node that came up or went down.
type event struct {
	id ring.HostID
	up bool
}

// judge tells the detector of the news, and returns who is up or down by it, and whether another process
// has this node's id, which is said once. mu must be held.
func (m *Member) judge(changes []Change, at time.Duration) (events []event, contested bool) {
	for _, c := range changes {
		if c.Contested {
			contested = !m.contested
			m.contested = true
			continue
		}
		if c.Restarted {
			if m.detector.IsUp(c.Host) {
				events = append(events, event{c.Host, false})
			}
			m.detector.Forget(c.Host)
		}
		status, _ := m.table.Get(c.Host, KeyStatus)
		switch {
		case status == StatusShutdown && m.detector.IsUp(c.Host):
			m.detector.Down(c.Host)
			events = append(events, event{c.Host, false})
		case status != StatusShutdown && c.Beat && m.detector.Heartbeat(c.Host, at):
			events = append(events, event{c.Host, true})
		}
	}
	return events, contested
}

package gossip

import (
	"container/list"
	"maps"
	"slices"

	"github.com/iliumdb/ilium/ring"
)

// A Key names what a value says of its node.
type Key uint8

// What nodes say by KeyStatus.
const (
	StatusNormal   = "NORMAL"
	StatusJoining  = "JOINING"
	StatusLeaving  = "LEAVING"
	StatusShutdown = "SHUTDOWN" // the node stops on purpose, and is down at once
)

// The keys: Cassandra's ApplicationState, without the tokens, which are in the metadata log.
const (
	KeyStatus        Key = iota + 1 // one of the texts above
	KeyDatacenter                   //
	KeyRack                         //
	KeyAddress                      // for other nodes
	KeyNativeAddress                // for clients
	KeyRelease                      // version of the program
	KeySchema                       // epoch of the schema
	KeyLoad                         // bytes on disk
)

// MaxGenerationLead is how far a generation may lie ahead of the newest one known of the node, in
// seconds: a year, as in Cassandra. Generations are times; a greater lead is damage, and would shut the
// node out for as long.
const MaxGenerationLead = 365 * 24 * 3600

// A Heartbeat tells how far a node is: which start of its process this is, and how often it has beaten.
type Heartbeat struct{ Generation, Version uint32 }

// newer reports whether h is of a later process than o, or the same and further.
func (h Heartbeat) newer(o Heartbeat) bool {
	return h.Generation > o.Generation || h.Generation == o.Generation && h.Version > o.Version
}

// A Value is something that a node says, with the version at which it said so.
type Value struct {
	Version uint32
	Text    string
}

// A Digest says how far somebody knows a node: its heartbeat, and the highest version of its values.
type Digest struct {
	Host      ring.HostID
	Heartbeat Heartbeat
	Version   uint32
}

// A Delta is what a node says of itself, as far as it is newer than a version.
type Delta struct {
	Host      ring.HostID
	Heartbeat Heartbeat
	After     uint32 // the version; 0 if nothing is left out
	Values    map[Key]Value
}

// A Change is what news there is of a node.
type Change struct {
	Host      ring.HostID
	Beat      bool  // its heartbeat has advanced: tell the Detector
	Restarted bool  // it was unknown, or is another process than before
	Contested bool  // it is this node itself, and somebody knows a later heartbeat of it
	Keys      []Key // whose values are new, ascending
}

// state is what a node has said.
type state struct {
	host      ring.HostID
	place     *list.Element // in Table.order; nil for the node itself
	sends     int           // how often Pick has chosen it since the heartbeat advanced
	heartbeat Heartbeat
	version   uint32 // the highest of values
	values    map[Key]Value
}

// A Table holds the states of all nodes, as one of them knows them. It is not safe for concurrent use.
type Table struct {
	self   ring.HostID
	states map[ring.HostID]*state
	order  *list.List // of the other nodes' states: in which Pick takes them
}

// NewTable returns the table of a node that starts. generation must be higher than that of its last
// start: the later of the time in seconds and the last one plus one.
func NewTable(self ring.HostID, generation uint32) *Table {
	own := &state{host: self, heartbeat: Heartbeat{Generation: generation, Version: 1}, values: map[Key]Value{}}
	return &Table{self: self, states: map[ring.HostID]*state{self: own}, order: list.New()}
}

// Beat advances the node's own heartbeat.
func (t *Table) Beat() { t.states[t.self].heartbeat.Version++ }

// Set says something of the node itself, in at most a kilobyte: the rest is cut off. Saying the same
// again is no news.
func (t *Table) Set(key Key, text string) {
	text = text[:min(len(text), maxText)]
	own := t.states[t.self]
	if v, ok := own.values[key]; ok && v.Text == text {
		return
	}
	own.version++
	own.values[key] = Value{own.version, text}
}

// Get returns what a node has said, and whether it has.
func (t *Table) Get(id ring.HostID, key Key) (text string, ok bool) {
	s := t.states[id]
	if s == nil {
		return "", false
	}
	v, ok := s.values[key]
	return v.Text, ok
}

// Heartbeat returns the newest heartbeat of a node; it is zero if the node is unknown.
func (t *Table) Heartbeat(id ring.HostID) Heartbeat {
	if s := t.states[id]; s != nil {
		return s.heartbeat
	}
	return Heartbeat{}
}

// Forget drops what another node has said, after it has left the ring.
func (t *Table) Forget(id ring.HostID) {
	if s := t.states[id]; s != nil && id != t.self {
		t.order.Remove(s.place)
		delete(t.states, id)
	}
}

// Len returns how many nodes are known, with this one.
func (t *Table) Len() int { return len(t.states) }

// Digests appends a digest of each node to dst, in order of the hosts.
func (t *Table) Digests(dst []Digest) []Digest {
	first := len(dst)
	for _, s := range t.states {
		dst = append(dst, s.digest())
	}
	slices.SortFunc(dst[first:], func(a, b Digest) int { return compareHosts(a.Host, b.Host) })
	return dst
}

func (s *state) digest() Digest { return Digest{s.host, s.heartbeat, s.version} }

// newsSends is how often Pick chooses a heartbeat as news: as memberlist's round has three packets, for
// three nodes.
const newsSends = 3

// Pick appends the digests for a packet that has room for that many: first that of the node itself, then
// those whose heartbeats have advanced last, until each was picked three times, then all others in turns.
// If more news comes in than the packets have room for, what is older is left to others to tell.
func (t *Table) Pick(dst []Digest, room int) []Digest {
	if room < 1 {
		return dst
	}
	dst = append(dst, t.states[t.self].digest())
	next := t.order.Front()
	for range min(room-1, t.order.Len()) {
		s, place := next.Value.(*state), next
		next = next.Next()
		dst = append(dst, s.digest())
		if s.sends++; s.sends >= newsSends {
			t.order.MoveToBack(place)
		}
	}
	return dst
}

// Observe takes in the heartbeats of digests, and returns what is news. Digests may name some nodes
// only; that says nothing of the others.
func (t *Table) Observe(digests []Digest) []Change {
	var changes []Change
	for _, d := range digests {
		c := Change{Host: d.Host}
		if t.observe(&c, d.Heartbeat); c.isNews() {
			changes = append(changes, c)
		}
	}
	return changes
}

// observe takes in a heartbeat, and returns the state of its node if it is of that process.
func (t *Table) observe(c *Change, h Heartbeat) *state {
	s := t.states[c.Host]
	if c.Host == t.self {
		c.Contested = h.newer(s.heartbeat)
		return nil // nobody knows better
	}
	switch {
	case s == nil || h.Generation > s.heartbeat.Generation:
		if s != nil && h.Generation-s.heartbeat.Generation > MaxGenerationLead {
			return nil
		}
		t.Forget(c.Host)
		s = &state{host: c.Host, values: map[Key]Value{}}
		s.place = t.order.PushFront(s)
		t.states[c.Host] = s
		c.Restarted = true
	case h.Generation < s.heartbeat.Generation:
		return nil // of a process that is no more
	}
	if h.newer(s.heartbeat) {
		s.heartbeat, c.Beat = h, true
		s.sends = 0
		t.order.MoveToFront(s.place)
	}
	return s
}

func (c *Change) isNews() bool { return c.Beat || c.Restarted || c.Contested || len(c.Keys) > 0 }

// Wanted returns digests of what this table lacks of what the digests promise. They are the question
// to whoever sent them; Observe comes first.
func (t *Table) Wanted(digests []Digest) []Digest {
	var out []Digest
	for _, d := range digests {
		s := t.states[d.Host]
		if s != nil && d.Host != t.self && d.Heartbeat.Generation == s.heartbeat.Generation && d.Version > s.version {
			out = append(out, Digest{d.Host, s.heartbeat, s.version})
		}
	}
	return out
}

// Deltas returns what is newer here than the digests: the answer to what somebody wants.
func (t *Table) Deltas(digests []Digest) []Delta {
	var out []Delta
	for _, d := range digests {
		s := t.states[d.Host]
		switch {
		case s == nil || d.Heartbeat.Generation > s.heartbeat.Generation:
		case d.Heartbeat.Generation < s.heartbeat.Generation:
			out = append(out, s.delta(d.Host, 0))
		case d.Version < s.version || s.heartbeat.newer(d.Heartbeat):
			out = append(out, s.delta(d.Host, d.Version))
		}
	}
	return out
}

// All returns everything, in order of the hosts, for somebody of whom nothing is known.
func (t *Table) All() []Delta {
	var out []Delta
	for _, d := range t.Digests(nil) {
		out = append(out, t.states[d.Host].delta(d.Host, 0))
	}
	return out
}

func (s *state) delta(id ring.HostID, after uint32) Delta {
	d := Delta{Host: id, Heartbeat: s.heartbeat, After: after, Values: map[Key]Value{}}
	for key, v := range s.values {
		if v.Version > after {
			d.Values[key] = v
		}
	}
	return d
}

// Merge takes in what is newer in the deltas, and returns what is news. What others say of this node
// itself is left out: it knows better. A delta that begins behind what is known here may leave out
// something that will not come again; of it only the heartbeat is taken.
func (t *Table) Merge(deltas []Delta) []Change {
	var changes []Change
	for _, d := range deltas {
		c := Change{Host: d.Host}
		s := t.observe(&c, d.Heartbeat)
		if s != nil && d.After <= s.version {
			c.Keys = s.merge(d.Values)
		}
		if c.isNews() {
			changes = append(changes, c)
		}
	}
	return changes
}

// merge takes in the values that are newer, and returns their keys.
func (s *state) merge(values map[Key]Value) []Key {
	var keys []Key
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if v := values[key]; v.Version > s.values[key].Version {
			s.values[key] = v
			s.version = max(s.version, v.Version)
			keys = append(keys, key)
		}
	}
	return keys
}

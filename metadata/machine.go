package metadata

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/iliumdb/ilium/fault"
	"github.com/iliumdb/ilium/schema"
)

// A machine is what the entries of the replicated log are applied to.
type machine struct{ cluster *cluster }

// An outcome is what has become of a proposal.
type outcome struct {
	index uint64
	event *Event
	err   error
}

// storeAgain is how long a node waits before it tries again to store what the cluster has decided.
const storeAgain = time.Second

var errStopping = errors.New("the node is stopping")

// Apply carries out an entry. The error says that this node cannot.
func (m *machine) Apply(index uint64, data []byte) (any, error) {
	c := m.cluster
	c.log.turn <- struct{}{}
	defer func() { <-c.log.turn }()
	before := c.log.current.Load()
	if index <= before.applied {
		return outcome{index: index}, nil // after a restart
	}
	e, err := decodeEntry(data)
	if err != nil {
		return nil, err
	}
	after, event, err := before.apply(e)
	if fault.On("forget entries") && e.topology == nil && e.first == nil && index%4 == 0 && c.opts.Self[0]%2 == 0 {
		same := *before
		after, event, err = &same, nil, nil
	}
	if err != nil {
		same := *before
		after = &same
	}
	after.applied = index
	if err := m.store(before, after); err != nil {
		return nil, err
	}
	c.log.publish(before, after, event)
	o := outcome{index: index, event: event, err: err}
	c.settle(e.id, o)
	return o, nil
}

// store stores a state. What the cluster has decided must be: a failure is tried again until the node stops. If an entry
// has changed nothing, its index is stored with a later one's: it would change nothing again.
func (m *machine) store(before, after *state) error {
	if after.schema == before.schema && after.topology == before.topology && after.cluster == before.cluster {
		return nil
	}
	c := m.cluster
	for {
		err := c.log.put(context.Background(), before, after)
		if err == nil {
			return nil
		}
		c.opts.Log.Error("A change of the metadata cannot be stored", "entry", after.applied, "error", err)
		select {
		case <-time.After(storeAgain):
		case <-c.ctx.Done():
			return errStopping
		}
	}
}

// Snapshot captures the state.
func (m *machine) Snapshot() func() []byte {
	s := m.cluster.log.current.Load()
	return func() []byte { return s.appendSnapshot(nil) }
}

// Restore takes over the state of a snapshot that is put in the place of entries, unless this node's is as new.
func (m *machine) Restore(b []byte) error {
	index, err := m.restore(b)
	if err == nil && index > 0 {
		m.cluster.lose()
	}
	return err
}

// restore takes over a state that is newer than this node's, and returns its index; 0 if it is not.
func (m *machine) restore(b []byte) (uint64, error) {
	c := m.cluster
	c.log.turn <- struct{}{}
	defer func() { <-c.log.turn }()
	before := c.log.current.Load()
	index, err := snapshotIndex(b)
	if err != nil || index <= before.applied {
		return 0, err
	}
	after, err := readSnapshot(b)
	if err != nil {
		return 0, err
	}
	events := differences(before.schema, after.schema)
	if events == nil {
		after.schema = before.schema
	}
	if err := m.store(before, after); err != nil {
		return 0, err
	}
	c.log.publish(before, after, events...)
	c.move()
	return index, nil
}

// differences returns what drivers are to be told when one schema takes the place of another: nil if they are the same.
func differences(before, after *schema.Schema) (events []*Event) {
	counted := false
	for _, r := range after.Diff(before) {
		parts := strings.Split(r.Name, "/")
		e := &Event{Change: Updated, Target: Keyspace}
		existed := false
		switch {
		case parts[0] == "keyspace" && len(parts) == 2:
			e.Keyspace = parts[1]
			existed = before.Keyspace(e.Keyspace) != nil
		case parts[0] == "table" && len(parts) == 3:
			e.Target, e.Keyspace, e.Name = Table, parts[1], parts[2]
			existed = before.Table(e.Keyspace, e.Name) != nil
		default: // the counters
			counted = true
			continue
		}
		switch {
		case r.Value == nil:
			e.Change = Dropped
		case !existed:
			e.Change = Created
		}
		events = append(events, e)
	}
	if counted && events == nil { // something was made and dropped again
		return []*Event{nil}
	}
	return events
}

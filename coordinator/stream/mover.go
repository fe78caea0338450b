package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

// A Puller copies what another node holds of a range of a table into this node's storage. told is called with the
// number of bytes after each part; an error of it ends the pull. *coordinator.Coordinator is one.
type Puller interface {
	Pull(ctx context.Context, from *ring.Endpoint, t *schema.Table, r ring.Range, told func(bytes int) error) error
}

// A Store keeps named values durably. *storage.Engine is one.
type Store interface {
	Put(ctx context.Context, puts ...storage.Put) error
	Values(prefix string, visit func(name string, value []byte) error) error
}

// Options are what a Mover needs. Zero fields take the default.
type Options struct {
	Self       ring.HostID
	Puller     Puller
	Store      Store
	Schema     func() *schema.Schema
	IsAlive    func(ring.HostID) bool
	IsLost     func(ring.HostID) bool // whether an operator has said that a node will not come back; default: none is
	Throughput int64                  // bytes a second; 0 means no limit
	Log        *slog.Logger
	Retry      time.Duration // pause after a failure; default 1s
}

// A Mover pulls what one node gains. It is safe for concurrent use, but runs one change at a time.
type Mover struct {
	opts Options

	running sync.Mutex
	mu      sync.Mutex
	now     Progress
}

// Progress is how far a Mover is.
type Progress struct {
	Change      uint64 // the epoch that the change began in; 0 if none was seen
	Done, Total int    // parts: a range of a table from one source
	Bytes       int64  // pulled since Run was called
	Table       string // at hand; empty if none
	Finished    bool
}

// New returns a Mover.
func New(o Options) *Mover {
	if o.IsLost == nil {
		o.IsLost = func(ring.HostID) bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	return &Mover{opts: o}
}

// Progress returns how far the last Run is.
func (m *Mover) Progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *Mover) update(change func(p *Progress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.now)
}

// A part is a range of a table, to be pulled from one source or, as long as the first does not do, from the next.
type part struct {
	table  *schema.Table
	gain   ring.Range
	source *ring.Endpoint
}

// name is under what a part is noted when it is complete.
func (p *part) name(change uint64) string {
	return fmt.Sprintf("%s%d/%d/%d/%d/%s", prefix, change, p.table.Incarnation, p.gain.Start, p.gain.End, p.source.ID)
}

// prefix is in front of the names of all complete parts.
const prefix = "stream/"

// Run pulls all that the node gains by the change that is under way in a topology, and returns when it has all of it
// or ctx has ended. Sources that fail are tried again. change is the epoch in which the change began.
func (m *Mover) Run(ctx context.Context, t *ring.Topology, change uint64) error {
	m.running.Lock()
	defer m.running.Unlock()
	m.update(func(p *Progress) { *p = Progress{Change: change} })
	for {
		finished, err := m.round(ctx, t, change)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if finished {
			m.update(func(p *Progress) { p.Finished, p.Table = true, "" })
			return m.clear(ctx, change)
		}
		m.opts.Log.Warn("pulling data from other nodes goes on after a pause", "error", err)
		select {
		case <-time.After(m.opts.Retry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// round tries all parts that are not complete yet.
func (m *Mover) round(ctx context.Context, t *ring.Topology, change uint64) (finished bool, err error) {
	done, err := m.done(change)
	if err != nil {
		return false, err
	}
	parts, err := m.parts(t)
	if err != nil {
		return false, err
	}
	m.update(func(p *Progress) { p.Total, p.Done = len(parts), 0 })
	var errs []error
	pace := &pace{rate: m.opts.Throughput}
	for i := range parts {
		p := &parts[i]
		if !done[p.name(change)] {
			m.update(func(now *Progress) { now.Table = p.table.String() })
			if err := m.pull(ctx, p, pace); err != nil {
				errs = append(errs, err)
				continue
			}
			if err := m.opts.Store.Put(ctx, storage.Put{Name: p.name(change), Value: []byte{1}}); err != nil {
				return false, err
			}
		}
		m.update(func(p *Progress) { p.Done++ })
	}
	return len(errs) == 0, errors.Join(errs...)
}

// pull pulls one part. A table that is gone meanwhile is complete.
func (m *Mover) pull(ctx context.Context, p *part, pace *pace) error {
	err := m.opts.Puller.Pull(ctx, p.source, p.table, p.gain, func(bytes int) error {
		m.update(func(p *Progress) { p.Bytes += int64(bytes) })
		return pace.wait(ctx, bytes)
	})
	if err != nil && m.opts.Schema().TableOf(p.table.Incarnation) == nil {
		return nil
	}
	return err
}

// parts returns what is to be pulled, from the schema and the liveness of now.
func (m *Mover) parts(t *ring.Topology) ([]part, error) {
	var out []part
	for k := range m.opts.Schema().Keyspaces() {
		replication, err := ring.ParseReplication(k.Replication.Class, k.Replication.Options)
		if err != nil {
			return nil, err
		}
		for _, move := range ring.NewPlacement(t, replication, m.opts.Self).Gains(m.opts.Self) {
			sources := m.sources(move)
			if len(sources) == 0 && m.mayReturn(t, move) {
				return nil, fmt.Errorf("no node that has %s of keyspace %s is alive", move.Range, k.Name)
			}
			if len(sources) == 0 {
				m.opts.Log.Warn("nobody has the data of a range anymore", "keyspace", k.Name, "range", move.Range)
			}
			for table := range k.Tables() {
				for _, source := range sources {
					out = append(out, part{table, move.Range, source})
				}
			}
		}
	}
	return out, nil
}

// mayReturn reports whether a node has a range that is down, but not for good as far as is known.
func (m *Mover) mayReturn(t *ring.Topology, move ring.Move) bool {
	self := t.Endpoint(m.opts.Self)
	return slices.ContainsFunc(move.Endpoints, func(e *ring.Endpoint) bool {
		return !m.opts.IsLost(e.ID) && (self == nil || e.ID != self.Replaces)
	})
}

// sources returns from whom a range is to be pulled.
func (m *Mover) sources(move ring.Move) []*ring.Endpoint {
	if move.Handover && m.opts.IsAlive(move.Endpoints[0].ID) {
		return move.Endpoints[:1]
	}
	var out []*ring.Endpoint
	for _, e := range move.Endpoints {
		if m.opts.IsAlive(e.ID) {
			out = append(out, e)
		}
	}
	return out
}

// done returns the names of the parts that are complete.
func (m *Mover) done(change uint64) (map[string]bool, error) {
	out := map[string]bool{}
	err := m.opts.Store.Values(fmt.Sprintf("%s%d/", prefix, change), func(name string, _ []byte) error {
		out[name] = true
		return nil
	})
	return out, err
}

// clear forgets what was noted of other changes, and of this one before another can have its number. That of this
// change stays until then: the node may be asked again whether it is complete.
func (m *Mover) clear(ctx context.Context, change uint64) error {
	var puts []storage.Put
	own := fmt.Sprintf("%s%d/", prefix, change)
	err := m.opts.Store.Values(prefix, func(name string, _ []byte) error {
		if len(name) < len(own) || name[:len(own)] != own {
			puts = append(puts, storage.Put{Name: name})
		}
		return nil
	})
	if err != nil || len(puts) == 0 {
		return err
	}
	return m.opts.Store.Put(ctx, puts...)
}

// pace keeps a rate.
type pace struct {
	rate  int64 // bytes a second; 0 means any
	since time.Time
	sent  int64
}

// wait waits until so many bytes more fit the rate.
func (p *pace) wait(ctx context.Context, bytes int) error {
	if p.rate == 0 {
		return nil
	}
	now := time.Now()
	if p.since.IsZero() {
		p.since = now
	}
	p.sent += int64(bytes)
	ahead := time.Duration(float64(p.sent)/float64(p.rate)*float64(time.Second)) - now.Sub(p.since)
	if ahead <= 0 {
		if ahead < -time.Second { // an idle time is no credit
			p.since, p.sent = now, 0
		}
		return nil
	}
	select {
	case <-time.After(ahead):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

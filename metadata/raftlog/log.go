package raftlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/wire/peer"
)

// Options configures a Log. Timeouts, sizes and Log have defaults.
type Options struct {
	Context context.Context // ends before Stop is called
	Self    ring.HostID
	Store   Store
	Peers   Peers
	Machine Machine
	// Members returns who is to have the log, as the machine knows it; nil: that is not known yet. It is asked
	// when entries have been applied.
	Members func() []Member
	Live    func() []ring.HostID // nodes that are up; nil: all
	Log     *slog.Logger         // default slog.Default()
	Timeouts
}

// Timeouts are what the log waits for. Zero fields take the default.
type Timeouts struct {
	Heartbeat         time.Duration // without a leader before an election begins, up to twice that; default 1 s
	Commit            time.Duration // before followers hear at the latest what is committed; default 500 ms
	SnapshotInterval  time.Duration // between looking whether a snapshot is due; default 2 min
	SnapshotThreshold uint64        // entries after which one is due; default 1024
	TrailingEntries   uint64        // that stay in front of a snapshot; default 256
}

func (t *Timeouts) setDefaults() {
	set(&t.Heartbeat, time.Second)
	set(&t.Commit, 500*time.Millisecond)
	set(&t.SnapshotInterval, 2*time.Minute)
	set(&t.SnapshotThreshold, 1024)
	set(&t.TrailingEntries, 256)
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// A Log is this node's part of the replicated log. Its methods may be called concurrently.
type Log struct {
	opts      Options
	ctx       context.Context
	cancel    context.CancelFunc
	transport *transport
	raft      atomic.Pointer[raft.Raft]

	kicked chan struct{} // holds one: members or servers may have changed
	newest atomic.Pointer[committed]
	nudged chan struct{} // holds one: newest changed

	running sync.WaitGroup // what this package runs

	mu       sync.Mutex
	retiring map[ring.HostID]int // nodes that get no vote anymore
	stopped  bool
	futures  sync.WaitGroup // that raft owes an answer
}

// A NotLeaderError says that nothing was done because this node does not lead.
type NotLeaderError struct{}

func (*NotLeaderError) Error() string { return "this node does not lead the metadata log" }

// Open starts this node's part of the log that is stored. A node without one waits for Bootstrap, or for a leader
// that makes it a member.
func Open(o Options) (*Log, error) {
	o.setDefaults()
	set(&o.Log, slog.Default())
	l := &Log{opts: o, retiring: map[ring.HostID]int{}, kicked: make(chan struct{}, 1), nudged: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(o.Context)
	entries, err := openEntries(o.Store)
	if err != nil {
		return nil, l.failed(err)
	}
	votes, err := openVotes(o.Store, o.Log, l.ctx.Done())
	if err != nil {
		return nil, l.failed(err)
	}
	snapshots, err := openSnapshots(o.Store)
	if err != nil {
		return nil, l.failed(err)
	}
	l.transport = newTransport(l.ctx, o.Self, o.Peers, o.Heartbeat)
	r, err := raft.NewRaft(l.config(), &machine{log: l}, entries, votes, snapshots, l.transport)
	if err != nil {
		return nil, l.failed(err)
	}
	l.raft.Store(r)
	l.elect()
	l.running.Go(l.runMembers)
	l.running.Go(l.runNudges)
	return l, nil
}

func (l *Log) failed(err error) error {
	l.cancel()
	return fmt.Errorf("opening the metadata log: %w", err)
}

func (l *Log) config() *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = serverOf(l.opts.Self)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = l.opts.Heartbeat, l.opts.Heartbeat, l.opts.Heartbeat/2
	c.CommitTimeout = l.opts.Commit
	c.SnapshotInterval, c.SnapshotThreshold, c.TrailingLogs = l.opts.SnapshotInterval, l.opts.SnapshotThreshold, l.opts.TrailingEntries
	c.ShutdownOnRemove = false // Stop does that
	c.NoLegacyTelemetry = true
	c.Logger = newLogger(l.opts.Log)
	// The machine has kept its state itself, and leaves a snapshot alone unless it is newer: then the node stopped
	// after it had received the snapshot and before the machine had stored it.
	c.NoSnapshotRestoreOnStart = false
	return c
}

// elect makes the only voter elect itself at once: raft looks for a leader anew when the time to wait for
// one gets shorter.
func (l *Log) elect() {
	r := l.raft.Load()
	voters, self := 0, false
	for _, s := range l.servers() {
		if s.Suffrage == raft.Voter {
			voters++
			self = self || s.ID == serverOf(l.opts.Self)
		}
	}
	if voters != 1 || !self {
		return
	}
	c := r.ReloadableConfig()
	c.HeartbeatTimeout, c.ElectionTimeout = c.HeartbeatTimeout+time.Millisecond, c.ElectionTimeout+time.Millisecond
	err := r.ReloadConfig(c)
	c.HeartbeatTimeout, c.ElectionTimeout = l.opts.Heartbeat, l.opts.Heartbeat
	if err = errors.Join(err, r.ReloadConfig(c)); err != nil {
		l.opts.Log.Warn("The metadata log elects its leader late", "error", err)
	}
}

// Handle answers requests of peer.VerbRaft.
func (l *Log) Handle(ctx context.Context, r *peer.Request) ([]byte, error) {
	return l.transport.handle(ctx, r)
}

// HandleSnapshot answers requests of peer.VerbSnapshot.
func (l *Log) HandleSnapshot(ctx context.Context, r *peer.Request) ([]byte, error) {
	return l.transport.handleSnapshot(ctx, r)
}

// Bootstrap makes this node the only server of a new log. If the node has a log already, it does nothing.
func (l *Log) Bootstrap() error {
	id := serverOf(l.opts.Self)
	f := l.raft.Load().BootstrapCluster(raft.Configuration{Servers: []raft.Server{{ID: id, Address: raft.ServerAddress(id)}}})
	if err := f.Error(); err != nil && !errors.Is(err, raft.ErrCantBootstrap) {
		return fmt.Errorf("beginning the metadata log: %w", err)
	}
	l.elect()
	return nil
}

// Leader returns who leads, if this node knows.
func (l *Log) Leader() (ring.HostID, bool) {
	_, server := l.raft.Load().LeaderWithID()
	if server == "" {
		return ring.HostID{}, false
	}
	id, err := parseServer(server)
	return id, err == nil
}

// Leads reports whether this node leads.
func (l *Log) Leads() bool {
	id, known := l.Leader()
	return known && id == l.opts.Self
}

// Voters returns the servers with a vote as far as this node knows, and Servers all.
func (l *Log) Voters() (voters []ring.HostID) {
	for _, s := range l.servers() {
		if id, err := parseServer(s.ID); err == nil && s.Suffrage == raft.Voter {
			voters = append(voters, id)
		}
	}
	return voters
}

// Servers returns who has the log as far as this node knows, with or without a vote.
func (l *Log) Servers() (servers []ring.HostID) {
	for _, s := range l.servers() {
		if id, err := parseServer(s.ID); err == nil {
			servers = append(servers, id)
		}
	}
	return servers
}

const enqueueTimeout = 5 * time.Second // for raft to take something up

// Propose appends an entry and waits until this node's machine has applied it. A *NotLeaderError says
// that it was not appended; after another error it may be applied all the same, later.
func (l *Log) Propose(ctx context.Context, entry []byte) (index uint64, result any, err error) {
	var a applied
	err = l.wait(ctx, func(r *raft.Raft) raft.Future {
		f := r.Apply(entry, enqueueTimeout)
		if f.Error() == nil {
			a, _ = f.Response().(applied)
		}
		return f
	})
	if err == nil {
		err = a.err
	}
	if err != nil {
		return 0, nil, err
	}
	return a.index, a.result, nil
}

// Barrier waits until this node's machine has applied everything that was committed before. A *NotLeaderError says
// that this node does not lead.
func (l *Log) Barrier(ctx context.Context) error {
	return l.wait(ctx, func(r *raft.Raft) raft.Future { return r.Barrier(enqueueTimeout) })
}

// wait waits for what begin begins, which may wait itself.
func (l *Log) wait(ctx context.Context, begin func(*raft.Raft) raft.Future) error {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return errStopped
	}
	l.futures.Add(1)
	l.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		defer l.futures.Done()
		done <- begin(l.raft.Load()).Error()
	}()
	select {
	case err := <-done:
		switch {
		case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrEnqueueTimeout), errors.Is(err, raft.ErrLeadershipTransferInProgress):
			return &NotLeaderError{}
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stopPatience is how long Stop waits for raft's answers. raft forgets those whose entries it has committed and
// not applied when it shuts down; a leader without contact gives up sooner than that.
const stopPatience = 3 * time.Second

// Stop ends the node's part and waits until nothing runs anymore. The store may be closed afterwards.
func (l *Log) Stop() {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		return
	}
	l.stopped = true
	l.mu.Unlock()
	l.cancel()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		l.running.Wait()
		l.futures.Wait()
	}()
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	select {
	case <-answered:
	case <-patience.C:
	}
	if err := l.raft.Load().Shutdown().Error(); err != nil {
		l.opts.Log.Warn("The metadata log did not stop well", "error", err)
	}
}

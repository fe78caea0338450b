package hint

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// DispatcherOptions say how a Dispatcher works.
type DispatcherOptions struct {
	Store *Store
	Send  func(to ring.HostID, body []byte, done func(error)) // as Send

	MaxThreads int           // endpoints at once (max_hints_delivery_threads), or 0 for 2
	Interval   time.Duration // after which endpoints that are up are looked at again, or 0 for 10 s
}

// A Dispatcher replays hints to the endpoints that are up. Those that have got all, or whose replay
// has failed, are looked at again after an interval.
type Dispatcher struct {
	o    DispatcherOptions
	kick chan struct{}
	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	targets map[ring.HostID]*target // that are up
	running int                     // replays
	rounds  uint64
}

// A target is an endpoint that is up.
type target struct {
	id     ring.HostID
	tried  uint64             // the number of its last replay
	rests  bool               // until the next interval
	cancel context.CancelFunc // nil unless its hints are being replayed
}

// NewDispatcher starts a dispatcher, for which all endpoints are down.
func NewDispatcher(o DispatcherOptions) *Dispatcher {
	if o.MaxThreads <= 0 {
		o.MaxThreads = 2
	}
	if o.Interval <= 0 {
		o.Interval = 10 * time.Second
	}
	d := &Dispatcher{o: o, kick: make(chan struct{}, 1), stop: make(chan struct{}), targets: map[ring.HostID]*target{}}
	d.done.Go(d.run)
	return d
}

// Up says that an endpoint is up, to the store as well. Its hints are replayed.
func (d *Dispatcher) Up(id ring.HostID) {
	d.o.Store.Up(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.targets[id] == nil {
		d.targets[id] = &target{id: id}
		d.wake()
	}
}

// Down says that an endpoint is down, and since when, to the store as well. A replay to it ends.
func (d *Dispatcher) Down(id ring.HostID, since time.Time) {
	d.o.Store.Down(id, since)
	d.mu.Lock()
	defer d.mu.Unlock()
	if t := d.targets[id]; t != nil {
		delete(d.targets, id)
		if t.cancel != nil {
			t.cancel()
		}
	}
}

// Close ends all replays and waits for them. The store stays open.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	if !isClosed(d.stop) {
		close(d.stop)
	}
	for _, t := range d.targets {
		if t.cancel != nil {
			t.cancel()
		}
	}
	d.mu.Unlock()
	d.done.Wait()
}

func (d *Dispatcher) wake() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// run starts replays until Close.
func (d *Dispatcher) run() {
	tick := time.NewTicker(d.o.Interval)
	defer tick.Stop()
	for {
		ticked := false
		select {
		case <-d.stop:
			return
		case <-d.kick:
		case <-tick.C:
			ticked = true
		}
		d.dispatch(ticked)
	}
}

// dispatch starts as many replays as it may. After an interval nobody rests anymore.
func (d *Dispatcher) dispatch(ticked bool) {
	waiting := d.o.Store.waiting()
	d.mu.Lock()
	defer d.mu.Unlock()
	if isClosed(d.stop) {
		return
	}
	var next []*target
	for _, id := range waiting {
		t := d.targets[id]
		if t == nil || t.cancel != nil {
			continue
		}
		if ticked {
			t.rests = false
		}
		if !t.rests {
			next = append(next, t)
		}
	}
	slices.SortFunc(next, func(a, b *target) int { // those first that have waited longest
		return cmp.Or(cmp.Compare(a.tried, b.tried), slices.Compare(a.id[:], b.id[:]))
	})
	for _, t := range next[:min(len(next), max(0, d.o.MaxThreads-d.running))] {
		d.start(t)
	}
}

// start starts a replay. The caller holds d.mu.
func (d *Dispatcher) start(t *target) {
	ctx, cancel := context.WithCancel(context.Background())
	d.running++
	d.rounds++
	t.tried, t.cancel = d.rounds, cancel
	d.done.Go(func() {
		err := d.o.Store.Replay(ctx, t.id, func(body []byte, done func(error)) { d.o.Send(t.id, body, done) })
		if err != nil && !errors.Is(err, context.Canceled) {
			d.o.Store.o.Log.Info("the replay of hints has ended early", "node", t.id, "error", err)
		}
		cancel()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.running--
		t.cancel, t.rests = nil, true
		d.wake() // somebody else may begin
	})
}

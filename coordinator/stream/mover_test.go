package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func id(n int) ring.HostID { return ring.HostID{15: byte(n)} }

// A fake is the Puller and the Store of a Mover, and says who is alive.
type fake struct {
	values map[string]bool
	pulled []string // ranges with their source
	fail   func(pull int) error
	bytes  int
	down   int
	schema *schema.Schema
}

func (f *fake) Pull(_ context.Context, from *ring.Endpoint, t *schema.Table, r ring.Range, told func(int) error) error {
	f.pulled = append(f.pulled, fmt.Sprintf("%s %d %d from %d", t.Name, r.Start, r.End, from.ID[15]))
	if f.fail != nil {
		if err := f.fail(len(f.pulled)); err != nil {
			return err
		}
	}
	return told(f.bytes)
}

func (f *fake) Put(_ context.Context, puts ...storage.Put) error {
	for _, p := range puts {
		if f.values[p.Name] = true; p.Value == nil {
			delete(f.values, p.Name)
		}
	}
	return nil
}

func (f *fake) Values(prefix string, visit func(string, []byte) error) error {
	for name := range f.values {
		if strings.HasPrefix(name, prefix) {
			if err := visit(name, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fake) mover(throughput int64) *Mover {
	return New(Options{Self: id(4), Puller: f, Store: f, Schema: func() *schema.Schema { return f.schema }, Throughput: throughput,
		IsAlive: func(h ring.HostID) bool { return h != id(f.down) }, Log: slog.New(slog.DiscardHandler)})
}

func newFake() *fake {
	k := schema.NewKeyspace("ks", schema.Replication{Class: "SimpleStrategy", Options: map[string]string{"replication_factor": "2"}}, true)
	k = k.WithTable((&schema.Table{Keyspace: "ks", Name: "a", Incarnation: 1}).Seal()).WithTable((&schema.Table{Keyspace: "ks", Name: "b", Incarnation: 2}).Seal())
	return &fake{values: map[string]bool{}, schema: schema.Empty().With(k)}
}

// joining is a ring of nodes 1, 2 and 3, node n with the token 100n, which node 4 joins.
func joining(t *testing.T) *ring.Topology {
	var endpoints []ring.Endpoint
	for n := 1; n <= 4; n++ {
		e := ring.Endpoint{ID: id(n), Datacenter: "dc1", Rack: "r", Tokens: []ring.Token{ring.Token(100 * n)}}
		if n == 4 {
			e.State = ring.Joining
		}
		endpoints = append(endpoints, e)
	}
	topology, err := ring.New(endpoints...)
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

// Each range comes from the replica that gives it up or, if that one is dead, from the others.
func TestSources(t *testing.T) {
	for down, want := range map[int][]string{
		0: {"a 200 300 from 1", "a 300 400 from 2", "b 200 300 from 1", "b 300 400 from 2"},
		1: {"a 200 300 from 3", "a 300 400 from 2", "b 200 300 from 3", "b 300 400 from 2"},
		2: {"a 200 300 from 1", "a 300 400 from 1", "b 200 300 from 1", "b 300 400 from 1"},
	} {
		f := newFake()
		f.down = down
		if err := f.mover(0).Run(context.Background(), joining(t), 5); err != nil {
			t.Fatal(err)
		}
		slices.Sort(f.pulled)
		if got := fmt.Sprint(f.pulled); got != fmt.Sprint(want) {
			t.Errorf("%d is down: %s, want %s", down, got, want)
		}
	}
}

func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(context.Background())
		f.fail = func(pull int) error {
			if pull == 3 {
				cancel()
				return errors.New("it is gone")
			}
			return nil
		}
		if err := f.mover(0).Run(ctx, joining(t), 5); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		f.pulled = nil
		f.fail = func(pull int) error {
			if pull <= 2 {
				return errors.New("it is gone")
			}
			return nil
		}
		m := f.mover(0)
		begin := time.Now()
		if err := m.Run(context.Background(), joining(t), 5); err != nil {
			t.Fatal(err)
		}
		if p := m.Progress(); len(f.pulled) != 2+1 && len(f.pulled) != 2+2 || p.Done != 4 || p.Total != 4 || !p.Finished || time.Since(begin) < time.Second {
			t.Errorf("%q, %+v", f.pulled, p)
		}
		// Another change begins anew, and forgets what was noted of this one.
		f.fail, f.pulled = nil, nil
		if err := f.mover(0).Run(context.Background(), joining(t), 6); err != nil || len(f.pulled) != 4 || len(f.values) != 4 {
			t.Errorf("%v, %q, %d values", err, f.pulled, len(f.values))
		}
	})
}

// A table that is dropped meanwhile does not hold up the rest.
func TestDroppedTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.fail = func(pull int) error {
			if pull == 1 {
				f.schema = f.schema.Without("ks")
			}
			return errors.New("no such table")
		}
		begin := time.Now()
		if err := f.mover(0).Run(context.Background(), joining(t), 5); err != nil || time.Since(begin) > 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.bytes = 1 << 20
		m := f.mover(1 << 20)
		begin := time.Now()
		if err := m.Run(context.Background(), joining(t), 5); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 4*time.Second || took > 5*time.Second || m.Progress().Bytes != 4<<20 {
			t.Errorf("%v, %+v", took, m.Progress())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		if err := m.Run(ctx, joining(t), 6); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// What only a node has that is down is waited for, until it is up again or an operator has said that it is lost.
func TestSourceIsWaitedFor(t *testing.T) {
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			k := f.schema.Keyspace("ks")
			alone := schema.NewKeyspace("ks", schema.Replication{Class: "SimpleStrategy", Options: map[string]string{"replication_factor": "1"}}, true)
			for table := range k.Tables() {
				alone = alone.WithTable(table)
			}
			f.schema = schema.Empty().With(alone)
			topology, err := ring.New(
				ring.Endpoint{ID: id(1), Datacenter: "dc1", Rack: "r", Tokens: []ring.Token{100}, State: ring.Leaving},
				ring.Endpoint{ID: id(4), Datacenter: "dc1", Rack: "r", Tokens: []ring.Token{400}})
			if err != nil {
				t.Fatal(err)
			}
			var isLost, isBack atomic.Bool
			m := f.mover(0)
			m.opts.IsLost = func(h ring.HostID) bool { return isLost.Load() && h == id(1) }
			m.opts.IsAlive = func(h ring.HostID) bool { return h != id(1) || isBack.Load() }
			done := make(chan error, 1)
			go func() { done <- m.Run(t.Context(), topology, 7) }()
			<-time.After(time.Minute)
			select {
			case err := <-done:
				t.Fatalf("it ended without what node 1 has: %v", err)
			default:
			}
			isLost.Store(lost)
			isBack.Store(!lost)
			<-time.After(time.Minute)
			if err := <-done; err != nil || (len(f.pulled) == 0) != lost {
				t.Errorf("lost %t: %v, pulled %v", lost, err, f.pulled)
			}
		})
	}
}

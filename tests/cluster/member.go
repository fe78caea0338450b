package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing/synctest"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
)

// ErrDown says that a member takes no clients.
var ErrDown = errors.New("the member is down")

// ErrRunning says that a member is started that runs, or starts already.
var ErrRunning = errors.New("the member is running")

// ErrLost says that a member has crashed while it did something: nobody knows how that went.
var ErrLost = errors.New("the member has crashed meanwhile")

// A Member is one node with its data and its address. It is down until it is started.
type Member struct {
	Index int

	mu      sync.Mutex
	config  config.Config
	dir     string
	starts  int
	process *process      // nil: down
	paused  chan struct{} // closed by Resume; nil: not paused
}

// A process is what a member is from a start to a stop or crash.
type process struct {
	sockets *sockets
	dir     string
	cancel  context.CancelFunc // of the start
	ended   chan struct{}      // closed when the start has returned
	node    *node.Node         // nil while it starts
	calls   sync.WaitGroup     // of clients; added to while the member's lock is held
	crashed bool
}

// IP returns the address of a member.
func (m *Member) IP() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.config.ListenAddress
}

// IsUp reports whether a member takes clients.
func (m *Member) IsUp() bool { return m.Node() != nil }

// Node returns the node of a member, nil if it is down or starting.
func (m *Member) Node() *node.Node {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == nil {
		return nil
	}
	return m.process.node
}

// Adapt changes the settings of a member. They are in force from its next start.
func (m *Member) Adapt(adapt func(cfg *config.Config)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	adapt(&m.config)
}

// Start starts a member that is down. It returns when it takes clients, or why it does not; an error of a start that a crash has
// ended is ErrLost.
func (c *Cluster) Start(i int) error {
	m := c.Member(i)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m.mu.Lock()
	if m.process != nil {
		m.mu.Unlock()
		return ErrRunning
	}
	cfg := m.config
	cfg.DataDirectory = m.dir
	p := &process{sockets: &sockets{Sockets: c.Network.Host(cfg.ListenAddress)}, dir: m.dir, cancel: cancel, ended: make(chan struct{})}
	m.process = p
	m.mu.Unlock()
	c.Logf("starting member %d", i)
	n, err := node.StartWith(ctx, cfg, node.Options{Sockets: p.sockets, Log: c.journal.logger(i), Insecure: true})
	m.mu.Lock()
	defer m.mu.Unlock()
	defer close(p.ended)
	switch {
	case p.crashed && err == nil:
		c.over.Go(func() { _ = n.Stop() }) // what it says concerns nobody
		return ErrLost
	case p.crashed:
		return ErrLost
	case err != nil:
		m.process = nil
		c.Logf("member %d does not start: %v", i, err)
		return err
	}
	p.node = n
	c.Logf("member %d is up", i)
	return nil
}

// Stop stops a member that is up, in good order.
func (c *Cluster) Stop(i int) {
	c.Logf("stopping member %d", i)
	m := c.Member(i)
	m.mu.Lock()
	p := m.process
	if p == nil || p.node == nil {
		m.mu.Unlock()
		return
	}
	n := p.node
	p.node = nil // no more clients
	m.mu.Unlock()
	p.calls.Wait()
	if err := n.Stop(); err != nil {
		c.T.Errorf("stopping member %d: %v", i, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process == p {
		m.process = nil
	}
	c.Logf("member %d is stopped", i)
}

// Crash ends a member at once, whatever it does. It may be starting.
func (c *Cluster) Crash(i int) {
	c.Logf("crashing member %d", i)
	c.kill(c.Member(i), true)
}

// kill ends a process. Its data is kept as it is, if anybody wants it again.
func (c *Cluster) kill(m *Member, again bool) {
	if again {
		c.still <- struct{}{}
		synctest.Wait() // the files are those of one moment
		defer func() { <-c.still }()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.process
	if p == nil {
		return
	}
	if again {
		m.starts++
		m.dir = filepath.Join(c.dir, fmt.Sprintf("%d-%d", m.Index, m.starts))
		if err := copyTree(p.dir, m.dir); err != nil {
			c.T.Errorf("copying the data of member %d: %v", m.Index, err)
		}
	}
	p.sockets.dead.Store(true)
	c.Network.Kill(m.config.ListenAddress)
	p.crashed, m.process = true, nil
	p.cancel()
	n := p.node
	c.over.Go(func() {
		if p.calls.Wait(); n != nil {
			_ = n.Stop() // a process that is dead complains of it
		} else {
			<-p.ended
		}
		if again {
			_ = os.RemoveAll(p.dir) // for room; the rest goes at the end
		}
	})
}

// Do lets a client do something at a member. It returns ErrDown, ErrLost, or what f returns.
func (c *Cluster) Do(i int, f func(s *node.Session) error) error {
	m := c.Member(i)
	m.mu.Lock()
	p, paused := m.process, m.paused
	if p == nil || p.node == nil {
		m.mu.Unlock()
		return ErrDown
	}
	n := p.node
	p.calls.Add(1)
	m.mu.Unlock()
	defer p.calls.Done()
	if paused != nil {
		<-paused
	}
	err := f(n.Session())
	m.mu.Lock()
	paused = m.paused
	m.mu.Unlock()
	if paused != nil {
		<-paused // the answer does not get out before
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.crashed {
		return errors.Join(ErrLost, err)
	}
	return err
}

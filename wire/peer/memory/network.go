// Package memory is a network of simulated hosts inside of a process, for tests of what nodes do when a real one fails them.
//
//	network := memory.New(1)
//	a, b := network.Host("10.0.0.1"), network.Host("10.0.0.2")
//	listener, err := b.Listen(ctx, "10.0.0.2:7000")
//	conn, err := a.Dial(ctx, "10.0.0.2:7000")
//	network.Block("10.0.0.1", "10.0.0.2")
//
// A [Host] has the sockets of one IP address: listeners, streams and packets, with deadlines like those of package net. It fits what
// wire/peer asks for.
//
// # Faults
//
// All faults concern what passes between two different hosts; what a host sends to itself always arrives at once.
//
//   - Packets are lost, delayed, reordered and duplicated, and are dropped when they are sent while their way is blocked.
//   - Streams neither lose nor reorder bytes: loss makes them late, as retransmission does. While a direction is blocked, its bytes
//     wait; writing goes on until the window is full. Nobody is told. Since acknowledgements go the other way, the window also stays full when only
//     that way is blocked. When the block ends, all that has waited arrives.
//   - Dialling across a block in either direction waits until the block or the context ends.
//   - Kill closes everything that a host has. Those at the other end see a reset, unless it is blocked.
//
// # Time and chance
//
// The package waits for channels and timers only, and has no goroutines of its own, so it works within bubbles of testing/synctest, where delays take
// no time. Use a network in one bubble. Faults are drawn from the seed in the order in which bytes are sent: with the same order, they are the same.
package memory

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// retransmission is how late the bytes of a stream are for each time they are lost.
const retransmission = 200 * time.Millisecond

// maxLosses is how often the same bytes are lost at most.
const maxLosses = 10

// A Network connects hosts. All its methods may be called concurrently.
type Network struct {
	mu                 sync.Mutex
	random             *rand.Rand
	hosts              map[string]*Host
	blocked            map[way]bool
	parts              map[string]int // of a partition; nil: none
	pipes              map[*pipe]struct{}
	loss               float64
	reorder, duplicate float64
	minDelay, maxDelay time.Duration
	changed            signal // blocks, partitions, listeners
}

// A way leads from one host to another one.
type way struct{ from, to string }

// New returns a network without faults.
func New(seed uint64) *Network {
	return &Network{
		random: rand.New(rand.NewPCG(seed, seed)), hosts: make(map[string]*Host),
		blocked: make(map[way]bool), pipes: make(map[*pipe]struct{}),
	}
}

// Host returns the host with an IP address, a new one if need be. It panics if ip is none.
func (n *Network) Host(ip string) *Host {
	if net.ParseIP(ip) == nil {
		panic(fmt.Sprintf("%q is no IP address", ip))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[ip]
	if h == nil {
		h = &Host{network: n, ip: ip, listeners: make(map[int]*listener), packets: make(map[int]*packetConn), conns: make(map[*conn]struct{}), port: firstPort}
		n.hosts[ip] = h
	}
	return h
}

// SetLoss sets with what probability packets and the bytes of one write are lost.
func (n *Network) SetLoss(probability float64) {
	n.change(func() { n.loss = min(max(probability, 0), 1) })
}

// SetDelay sets how long packets and bytes take.
func (n *Network) SetDelay(shortest, longest time.Duration) {
	n.change(func() { n.minDelay, n.maxDelay = shortest, max(shortest, longest) })
}

// SetReorder sets with what probability a packet is overtaken by others, for it takes as long again and 10 ms more.
func (n *Network) SetReorder(probability float64) { n.change(func() { n.reorder = probability }) }

// SetDuplicate sets with what probability a packet arrives twice.
func (n *Network) SetDuplicate(probability float64) { n.change(func() { n.duplicate = probability }) }

// Block lets nothing pass from one host to another one.
func (n *Network) Block(from, to string) { n.change(func() { n.blocked[way{from, to}] = true }) }

// Unblock takes a Block back.
func (n *Network) Unblock(from, to string) { n.change(func() { delete(n.blocked, way{from, to}) }) }

// Partition lets nothing pass between hosts of different groups. Hosts that are in no group are one together. It replaces a
// partition before it; blocks stay.
func (n *Network) Partition(groups ...[]string) {
	n.change(func() {
		n.parts = make(map[string]int)
		for i, group := range groups {
			for _, ip := range group {
				n.parts[ip] = i + 1
			}
		}
	})
}

// Heal takes the partition and all blocks back.
func (n *Network) Heal() {
	n.change(func() {
		n.parts = nil
		clear(n.blocked)
	})
}

// Kill closes all that a host has. The host can be used again, as after a restart.
func (n *Network) Kill(ip string) { n.Host(ip).kill() }

// change changes the network, and wakes all who wait for that.
func (n *Network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
	n.wake()
}

// wake lets everybody look again. n.mu is held.
func (n *Network) wake() {
	n.changed.send()
	for p := range n.pipes {
		p.acknowledge()
		p.changed.send()
	}
}

// passes reports whether something can go from a host to another one. n.mu is held.
func (n *Network) passes(from, to string) bool {
	return from == to || !n.blocked[way{from, to}] && n.parts[from] == n.parts[to]
}

// chance reports whether something of a probability happens. n.mu is held.
func (n *Network) chance(probability float64) bool {
	return probability > 0 && n.random.Float64() < probability
}

// delay draws how long something takes. n.mu is held.
func (n *Network) delay() time.Duration {
	if n.maxDelay <= n.minDelay {
		return n.minDelay
	}
	return n.minDelay + time.Duration(n.random.Int64N(int64(n.maxDelay-n.minDelay)+1))
}

// lateness draws how long bytes of a stream take. n.mu is held.
func (n *Network) lateness(from, to string) time.Duration {
	if from == to {
		return 0
	}
	d := n.delay()
	for i := 0; i < maxLosses && n.chance(n.loss); i++ {
		d += retransmission
	}
	return d
}

// A signal wakes all who wait. Its lock is the network's.
type signal struct{ c chan struct{} }

// wait returns a channel that is closed by the next send.
func (s *signal) wait() <-chan struct{} {
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) send() {
	if s.c != nil {
		close(s.c)
		s.c = nil
	}
}

// await waits for a time, zero being none, or one of two signals, without the lock, which is held at the call and at the return.
func (n *Network) await(at time.Time, one, other *signal) {
	first, second := one.wait(), other.wait()
	n.mu.Unlock()
	defer n.mu.Lock()
	var due <-chan time.Time
	if !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-first:
	case <-second:
	case <-due:
	}
}

// expired reports whether a deadline, if there is one, has come.
func expired(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

// earliest returns the earlier of two times, of which a zero one is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

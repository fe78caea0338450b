package auth

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	freeFailures = 5 // the last of them is the first that is followed by waiting
	firstWait    = time.Second
	longestWait  = time.Minute
	forgetAfter  = 10 * time.Minute // of quiet; more than longestWait, so that waiting does not reset a count

	maxPeers     = 1 << 15 // addresses with failures, of at most 300 bytes each
	rolesPerPeer = 8       // counts of one address; the last is that of all further roles

	// sweepInterval is the time between two searches for what can be forgotten while there is no place.
	sweepInterval = time.Second
)

// failures counts failed logins for each address and role. It is safe for concurrent use.
type failures struct {
	max   int
	seed  maphash.Seed // so that nobody can choose roles that are counted as one
	start time.Time    // times are kept as those since then, which takes a third of the memory

	mu    sync.Mutex
	peers map[netip.Addr]*peer
	swept time.Duration
}

// A peer is an address, or a network of them.
type peer struct {
	last   time.Duration // failure
	counts []count       // at most rolesPerPeer
}

type count struct {
	role     uint64        // its hash; that of the last of rolesPerPeer has no meaning
	last     time.Duration // failure
	failures int
}

func newFailures(limit int, start time.Time) *failures {
	return &failures{max: limit, seed: maphash.MakeSeed(), start: start, peers: make(map[netip.Addr]*peer)}
}

// network returns what an address is counted under.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return prefix.Addr()
}

// wait returns for how long an address may not log in as a role.
func (f *failures) wait(from netip.Addr, role string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peers[network(from)]
	if p == nil {
		return 0
	}
	if i := p.find(f.hash(role)); i < len(p.counts) {
		c := p.counts[i]
		return max(c.last+waitAfter(c.failures)-now.Sub(f.start), 0)
	}
	return 0
}

func (f *failures) hash(role string) uint64 { return maphash.String(f.seed, role) }

// find returns the index of the count of a role, len(p.counts) if there is none yet.
func (p *peer) find(role uint64) int {
	for i, c := range p.counts {
		if c.role == role || i == rolesPerPeer-1 {
			return i
		}
	}
	return len(p.counts)
}

// add counts a failure.
func (f *failures) add(from netip.Addr, role string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := now.Sub(f.start)
	p := f.place(network(from), at)
	if p == nil {
		return
	}
	h := f.hash(role)
	i := p.find(h)
	if i == len(p.counts) {
		p.counts = append(p.counts, count{role: h})
	}
	c := &p.counts[i]
	if at-c.last >= forgetAfter {
		c.failures = 0
	}
	c.failures++
	c.last, p.last = at, at
}

// place returns the counts of an address. It is nil if there is no place for a further one.
func (f *failures) place(from netip.Addr, now time.Duration) *peer {
	if p := f.peers[from]; p != nil {
		return p
	}
	if len(f.peers) >= f.max {
		f.sweep(now)
	}
	if len(f.peers) >= f.max {
		return nil
	}
	p := &peer{}
	f.peers[from] = p
	return p
}

// sweep forgets addresses that have been quiet.
func (f *failures) sweep(now time.Duration) {
	if now-f.swept < sweepInterval {
		return
	}
	f.swept = now
	for from, p := range f.peers {
		if now-p.last >= forgetAfter {
			delete(f.peers, from)
		}
	}
}

// waitAfter returns the time to wait after a number of failures.
func waitAfter(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	doublings := min(failures-freeFailures, 10) // far beyond longestWait
	return min(firstWait<<doublings, longestWait)
}

// forget is told of a success. The count of several roles together stays: one of them would reset the others.
func (f *failures) forget(from netip.Addr, role string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.peers[network(from)]
	if p == nil {
		return
	}
	i := p.find(f.hash(role))
	if i < len(p.counts) && i < rolesPerPeer-1 {
		p.counts[i].failures = 0
	}
}

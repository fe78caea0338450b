package peer

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// complaintInterval is how often an address is complained of at most.
	complaintInterval = time.Minute
	// maxComplaints is how many addresses are remembered.
	maxComplaints = 1024
)

// complaints remembers of which addresses the log has said something lately.
type complaints struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports whether a host may be complained of.
func (c *complaints) due(host string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.last[host]; ok && now.Sub(last) < complaintInterval {
		return false
	}
	if c.last == nil || len(c.last) >= maxComplaints {
		c.last = make(map[string]time.Time)
	}
	c.last[host] = now
	return true
}

// complain logs what the other side of a connection has done wrong.
func (h *Hub) complain(address string, err error) {
	_, handshake := errors.AsType[*HandshakeError](err)
	_, identity := errors.AsType[*IdentityError](err)
	_, frame := errors.AsType[*frameError](err)
	if !handshake && !identity && !frame || h.ctx.Err() != nil {
		return
	}
	host, _, split := net.SplitHostPort(address)
	if split != nil {
		host = address
	}
	if h.complaints.due(host, time.Now()) {
		h.options.Log.Warn("no connection with another node", "address", address, "error", err)
	}
}

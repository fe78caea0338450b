package peer

import (
	"context"
	"sync"
	"time"
)

// A requestContext ends at a deadline or with its parent. What this takes, such as a timer, is made only if somebody wants
// to wait for the end.
type requestContext struct {
	parent   context.Context
	deadline time.Time

	mu     sync.Mutex
	made   context.Context // nil as long as nobody waits
	cancel context.CancelFunc
	ended  bool
}

// Deadline implements context.Context.
func (c *requestContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done implements context.Context.
func (c *requestContext) Done() <-chan struct{} { return c.make().Done() }

// Err implements context.Context.
func (c *requestContext) Err() error {
	c.mu.Lock()
	made, ended := c.made, c.ended
	c.mu.Unlock()
	switch {
	case made != nil:
		return made.Err()
	case ended:
		return context.Canceled
	case c.parent.Err() != nil || !c.deadline.IsZero() && !time.Now().Before(c.deadline):
		return c.make().Err()
	}
	return nil
}

// Value implements context.Context.
func (c *requestContext) Value(key any) any { return c.parent.Value(key) }

func (c *requestContext) make() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		if c.deadline.IsZero() {
			c.made, c.cancel = context.WithCancel(c.parent)
		} else {
			c.made, c.cancel = context.WithDeadline(c.parent, c.deadline)
		}
		if c.ended {
			c.cancel()
		}
	}
	return c.made
}

// end releases what c holds: the handler has returned.
func (c *requestContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

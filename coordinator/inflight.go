package coordinator

import (
	"context"
	"sync/atomic"
)

// inflight counts writes under way, so that somebody can wait for those that have begun before a moment. Writes count
// in one of two places; Drain makes new ones count in the other, and waits until the first is empty.
type inflight struct {
	side   atomic.Uint32 // the place of writes that begin now
	counts [2]atomic.Int64
	turn   chan struct{} // holds one value while nobody drains
	idle   [2]chan struct{}
}

func newInflight() *inflight {
	f := &inflight{turn: make(chan struct{}, 1), idle: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}}
	f.turn <- struct{}{}
	return f
}

// begin counts a write and returns where.
func (f *inflight) begin() uint32 {
	for {
		side := f.side.Load() & 1
		f.counts[side].Add(1)
		if f.side.Load()&1 == side {
			return side
		}
		f.end(side) // a Drain began in between, and may not have seen it
	}
}

func (f *inflight) end(side uint32) {
	if f.counts[side].Add(-1) == 0 {
		select {
		case f.idle[side] <- struct{}{}:
		default:
		}
	}
}

// drain returns when all writes have ended that had begun when it was called.
func (f *inflight) drain(ctx context.Context) error {
	select {
	case <-f.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { f.turn <- struct{}{} }()
	side := f.side.Load() & 1
	if err := f.wait(ctx, 1-side); err != nil { // a drain that was given up has left some there
		return err
	}
	f.side.Add(1)
	return f.wait(ctx, side)
}

// wait returns when a side is empty on which no writes begin.
func (f *inflight) wait(ctx context.Context, side uint32) error {
	for f.counts[side].Load() > 0 {
		select {
		case <-f.idle[side]:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Drain returns when all writes have ended that this node was coordinating when it was called, or ctx has ended.
// Writes that begin meanwhile see the topology of now, or a later one.
func (c *Coordinator) Drain(ctx context.Context) error { return c.writes.drain(ctx) }

package coordinator

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

const (
	// pullBytes is how much is pulled at once.
	pullBytes = 1 << 20
	// pullTimeout is how long a replica may take for that. It has to read past what is not sent, too.
	pullTimeout = time.Minute
)

// Pull copies what a replica holds of a range of a table into this node's own storage, tombstones included, and what it
// remembers of conditional changes there. It goes
// on for as long as the other node answers. told is called after each block is on disk, with its size; an error of
// it ends the pull.
func (c *Coordinator) Pull(ctx context.Context, from *ring.Endpoint, t *schema.Table, r ring.Range, told func(bytes int) error) error {
	for _, part := range r.Unwrap() {
		err := c.pull(ctx, from, t.Incarnation, part, told)
		if err == nil {
			err = c.pull(ctx, from, PaxosIncarnation, part, told)
		}
		if err != nil {
			return fmt.Errorf("pulling %s of %s from %s: %w", part, t, from.Address, err)
		}
	}
	return nil
}

func (c *Coordinator) pull(ctx context.Context, from *ring.Endpoint, incarnation uint32, r ring.Range, told func(bytes int) error) error {
	scan := &storage.Scan{Incarnation: incarnation, Now: c.opts.Now().Unix(), StaticOnly: true}
	if r.Start == ring.MaxToken {
		return nil // nothing is behind it
	}
	if r.Start != ring.MinToken {
		scan.Start = row.AppendToken(nil, int64(r.Start)+1)
	}
	if r.End != ring.MinToken && r.End != ring.MaxToken { // both of them are the end of the ring
		scan.End = row.AppendToken(nil, int64(r.End)+1)
	}
	for {
		q := query{scan: scan, limit: storage.Limit{Bytes: pullBytes}}
		block, err := c.call(ctx, from, peer.VerbPull, q.append(epochs{schema: c.opts.Schema().Epoch}, false), pullTimeout)
		if err != nil {
			return err
		}
		var last []byte
		var complete bool
		if incarnation == PaxosIncarnation {
			last, complete, err = c.storeStates(ctx, block)
		} else {
			last, complete, err = c.store(ctx, incarnation, block)
		}
		if err == nil {
			err = told(len(block))
		}
		if err != nil || complete || !scan.After(last) {
			return err
		}
	}
}

// call sends a request and waits for the answer.
func (c *Coordinator) call(ctx context.Context, to *ring.Endpoint, v peer.Verb, body []byte, timeout time.Duration) ([]byte, error) {
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 1)
	c.peers.Send(to.ID, v, time.Now().Add(timeout), body, func(answer []byte, err error) { done <- result{bytes.Clone(answer), err} })
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// store writes the entries of a block, and returns the key of the last one. It does so in several steps if they are
// more than a mutation may hold: keys that a block shares are whole in each entry of a mutation.
func (c *Coordinator) store(ctx context.Context, incarnation uint32, block []byte) (last []byte, complete bool, err error) {
	var reader storage.BlockReader
	var mutations []*row.Mutation
	full := 0 // bytes of all mutations but the last
	reader.Reset(block)
	for reader.Next() {
		last = append(last[:0], reader.Key()...)
		n := len(mutations)
		if n > 0 && full+mutations[n-1].Size() > pullBytes {
			if err := c.engine.Apply(ctx, mutations...); err != nil {
				return nil, false, err
			}
			mutations, full, n = nil, 0, 0
		}
		if n > 0 && mutations[n-1].AddEntry(last, reader.Row()) {
			continue
		}
		if n > 0 {
			full += mutations[n-1].Size()
		}
		m := new(row.Mutation)
		if err := m.BeginAt(incarnation, last); err != nil {
			return nil, false, err
		}
		m.AddEntry(last, reader.Row())
		mutations = append(mutations, m)
	}
	if err := reader.Err(); err != nil {
		return nil, false, err
	}
	if len(mutations) > 0 {
		err = c.engine.Apply(ctx, mutations...)
	}
	return last, reader.Complete(), err
}

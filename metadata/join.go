package metadata

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/iliumdb/ilium/metadata/raftlog"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/peer"
)

// Bootstrap makes this node the first one of a new cluster, which begins with the node's schema and with first, its
// endpoint with its tokens. A node that is part of a cluster already is left as it is.
func (l *Log) Bootstrap(ctx context.Context, first ring.Endpoint) error {
	c := l.cluster
	if c == nil {
		return fmt.Errorf("the log has no options for a cluster")
	}
	if l.IsMember() {
		return nil
	}
	first.ID, first.State, first.Replaces = c.opts.Self, ring.Normal, ring.HostID{}
	if _, err := ring.New(first); err != nil {
		return err
	}
	if err := c.raft.Bootstrap(); err != nil {
		return err
	}
	e := &entry{first: &firstNode{schema: l.Schema(), endpoint: first}}
	rand.Read(e.first.cluster[:]) // never fails
	e.first.cluster = version4(e.first.cluster)
	_, err := c.propose(ctx, e)
	if l.IsMember() {
		return nil // also if it was interrupted before
	}
	return err
}

// version4 marks random bytes as a random UUID.
func version4(id cqltype.UUID) cqltype.UUID {
	id[6] = id[6]&0x0F | 0x40
	id[8] = id[8]&0x3F | 0x80
	return id
}

const (
	seedTimeout = 10 * time.Second // for a seed to answer
	seedsAgain  = 500 * time.Millisecond
)

// Join makes this node part of the cluster that the seeds, addresses of nodes, belong to. It returns when this node has
// the cluster's metadata, and in it itself as Joining. Seeds that do not answer, or find no leader, are asked again until
// ctx ends. Other errors are those of ProposeTopology. A node that is part of the cluster already is left as it is, and one that
// has had a schema of its own cannot join.
func (l *Log) Join(ctx context.Context, seeds []string, j Join) error {
	c := l.cluster
	if c == nil {
		return fmt.Errorf("the log has no options for a cluster")
	}
	j.Endpoint.ID = c.opts.Self
	switch {
	case l.Topology().Endpoint(c.opts.Self) != nil:
		return nil
	case l.IsMember():
		return &MemberError{"it has left it, and can join again only without its data"}
	case l.Schema().Epoch != 0:
		return &RefusedError{"this node has a schema of its own, which cannot become part of a cluster's; it can only be the first node of one"}
	case len(seeds) == 0:
		return fmt.Errorf("there are no seeds to join a cluster by")
	}
	e := &entry{topology: j}
	rand.Read(e.id[:]) // never fails
	data := append([]byte{askRelay}, e.encode()...)
	for {
		var failures []error
		for _, seed := range seeds {
			o, err := c.askSeed(ctx, seed, data)
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", seed, err))
				continue
			}
			if o.err != nil {
				return o.err
			}
			if err := c.awaitApplied(ctx, o.index); err != nil {
				return fmt.Errorf("the cluster has let this node in, but does not reach it at %s: %w", c.opts.Address, err)
			}
			return nil
		}
		select {
		case <-time.After(seedsAgain):
		case <-ctx.Done():
			return fmt.Errorf("joining the cluster: %w", errors.Join(append(failures, ctx.Err())...))
		case <-c.ctx.Done():
			return errStopping
		}
	}
}

// askSeed asks a seed to hand the proposal to the leader. Asking again does no harm: see Join.change.
func (c *cluster) askSeed(ctx context.Context, seed string, data []byte) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, seedTimeout)
	defer cancel()
	b, _, err := c.opts.Peers.CallAddress(ctx, seed, peer.VerbPropose, data)
	if err != nil {
		return outcome{}, err
	}
	o, err := readAnswer(b)
	var elsewhere *raftlog.NotLeaderError
	if errors.As(err, &elsewhere) {
		return outcome{}, &NoLeaderError{}
	}
	return o, err
}

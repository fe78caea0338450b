package coordinator

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"math"
	mathrand "math/rand/v2"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// A logged batch over several partitions is all or nothing in the end. Before any replica gets its part, the whole
// batch is on the disks of two other nodes, and it is removed from there when the batch has met its level. If it is
// still there after a while, the coordinator has failed halfway, and the two carry it out: twice does no harm,
// because timestamps are part of the batch. This is Cassandra's batchlog.

// BatchlogIncarnation is that of the table that batches are kept in. Options.Tables of the storage engine must
// know it, as Batchlog describes it.
const BatchlogIncarnation = math.MaxUint32 - 255

// Batchlog returns what the storage engine is to know of the table that batches are kept in.
func Batchlog() storage.Table {
	return storage.Table{Name: "system.batches", HasColumn: func(uint32) bool { return true },
		FormatKey: func([]byte) string { return "a batch" }}
}

const (
	batchCopies = 2
	batchColumn = 1
	// batchAge is how old a batch must be to be carried out by those who keep it. Coordinators have given up by then.
	batchAge = 10 * time.Second
	// ReplayInterval is the time that should lie between two calls of ReplayBatches.
	ReplayInterval = 10 * time.Second
)

// A batchID names a batch: when it was made, in microseconds, and something random.
type batchID [16]byte

func (c *Coordinator) newBatchID() (id batchID) {
	rand.Read(id[8:]) // never fails
	binary.BigEndian.PutUint64(id[:], uint64(c.opts.Now().UnixMicro()))
	return id
}

func (id batchID) made() time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(id[:])))
}

// WriteBatch is Write for the writes of a logged batch: if some are carried out, all will be, even if this node fails
// halfway. A *WriteTimeoutError of type BATCH_LOG says that nothing was begun.
func (c *Coordinator) WriteBatch(ctx context.Context, t *trace.Trace, level consistency.Level, writes ...Write) error {
	if len(c.cluster.Topology().Endpoints()) == 1 || c.samePartition(writes) {
		return c.Write(ctx, t, level, writes...) // each replica takes all of it or nothing
	}
	for i := range writes { // what cannot be carried out is not kept
		if _, err := c.plan(writes[i].Keyspace, level, ring.Token(writes[i].Mutation.Token), true); err != nil {
			return err
		}
	}
	mutations := make([]*row.Mutation, len(writes))
	for i := range writes {
		mutations[i] = writes[i].Mutation
	}
	if err := c.engine.Check(mutations...); err != nil {
		return err
	}
	id := c.newBatchID()
	body := append(id[:], appendMutations(epochs{schema: c.opts.Schema().Epoch}, mutations)...)
	keepers := c.batchKeepers()
	t.Add("Keeping the batch on other nodes until it is complete")
	if err := c.keepBatch(ctx, t, keepers, body); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return &WriteTimeoutError{Level: level, Required: len(keepers), WriteType: "BATCH_LOG"}
	}
	err := c.Write(ctx, t, level, writes...)
	if err == nil {
		c.dropBatch(t, keepers, id)
	}
	return err
}

// samePartition reports whether all writes are of one token in one keyspace, and so have the same replicas.
func (c *Coordinator) samePartition(writes []Write) bool {
	for i := 1; i < len(writes); i++ {
		if writes[i].Keyspace != writes[0].Keyspace || writes[i].Mutation.Token != writes[0].Mutation.Token {
			return false
		}
	}
	return true
}

// batchKeepers returns the nodes that are to keep a batch: two others of this datacenter, in other racks if there are
// any. Without others, this node is better than none.
func (c *Coordinator) batchKeepers() []*ring.Endpoint {
	topology := c.cluster.Topology()
	self := topology.Endpoint(c.cluster.Self())
	if self == nil {
		return nil
	}
	var near, far []*ring.Endpoint
	for _, e := range topology.Endpoints() {
		switch {
		case e.ID == self.ID || e.Datacenter != self.Datacenter || e.State != ring.Normal || !c.cluster.IsAlive(e.ID):
		case e.Rack != self.Rack:
			far = append(far, e)
		default:
			near = append(near, e)
		}
	}
	shuffle(far)
	shuffle(near)
	if len(far) > 1 && far[1].Rack == far[0].Rack { // two racks are better than one
		for i := 2; i < len(far); i++ {
			if far[i].Rack != far[0].Rack {
				far[1], far[i] = far[i], far[1]
				break
			}
		}
	}
	keepers := append(far, near...)
	if len(keepers) == 0 {
		return []*ring.Endpoint{self}
	}
	return keepers[:min(len(keepers), batchCopies)]
}

// keepBatch puts a batch on the disks of its keepers. One that fails does not matter as long as another has it.
func (c *Coordinator) keepBatch(ctx context.Context, t *trace.Trace, keepers []*ring.Endpoint, body []byte) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("a batch needs a deadline")
	}
	done := make(chan error, len(keepers))
	for _, e := range keepers {
		if e.ID == c.cluster.Self() {
			done <- c.storeBatch(ctx, body)
			continue
		}
		c.send(t, e, peer.VerbBatchStore, deadline, body, func(_ []byte, err error) { done <- err })
	}
	kept := 0
	for range keepers {
		select {
		case err := <-done:
			if err == nil {
				kept++
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if kept == 0 {
		return errors.New("no node has kept the batch")
	}
	return nil
}

// dropTimeout is how long a keeper may take to remove a batch.
const dropTimeout = 5 * time.Second

// dropBatch tells the keepers that a batch is complete. One that does not hear it carries the batch out again.
func (c *Coordinator) dropBatch(t *trace.Trace, keepers []*ring.Endpoint, id batchID) {
	body := id[:]
	for _, e := range keepers {
		if e.ID == c.cluster.Self() {
			ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
			if err := c.removeBatch(ctx, id); err != nil {
				c.opts.Log.Debug("a batch stays in the batchlog", "error", err)
			}
			cancel()
			continue
		}
		c.send(t, e, peer.VerbBatchRemove, time.Now().Add(dropTimeout), body, func([]byte, error) {})
	}
}

// storeBatch keeps a batch on this node's disk.
func (c *Coordinator) storeBatch(ctx context.Context, body []byte) error {
	if len(body) < len(batchID{}) {
		return malformed(errShort)
	}
	id := batchID(body)
	if _, _, err := decodeMutations(body[len(id):]); err != nil {
		return malformed(err)
	}
	f := row.NewFragment()
	f.Cells = append(f.Cells, row.Cell{Column: batchColumn, Value: body[len(id):], Timestamp: id.made().UnixMicro()})
	return c.engine.Apply(ctx, batchMutation(id, f))
}

// removeBatch removes a batch that this node keeps.
func (c *Coordinator) removeBatch(ctx context.Context, id batchID) error {
	f := row.NewFragment()
	f.Deletion = row.Deletion{Timestamp: id.made().UnixMicro(), LocalTime: c.opts.Now().Unix()}
	return c.engine.Apply(ctx, batchMutation(id, f))
}

func batchMutation(id batchID, f *row.Fragment) *row.Mutation {
	m := new(row.Mutation)
	m.Begin(BatchlogIncarnation, int64(ring.TokenOf(id[:])), id[:])
	m.AddRow(f, nil)
	return m
}

// handleBatch keeps or removes a batch for another node.
func (c *Coordinator) handleBatch(ctx context.Context, r *peer.Request) ([]byte, error) {
	if r.Verb == peer.VerbBatchStore {
		return nil, failure(c.storeBatch(ctx, r.Body))
	}
	if len(r.Body) != len(batchID{}) {
		return nil, malformed(errShort)
	}
	return nil, failure(c.removeBatch(ctx, batchID(r.Body)))
}

// ReplayBatches carries out the batches that this node keeps and whose coordinators have failed, and returns how many
// those were. It should be called every ReplayInterval. Replicas that are down get hints.
func (c *Coordinator) ReplayBatches(ctx context.Context) (int, error) {
	cursor := c.engine.Scan(&storage.Scan{Incarnation: BatchlogIncarnation, Now: c.opts.Now().Unix()})
	type batch struct {
		id   batchID
		body []byte
	}
	var due []batch
	size := 0
	for size < replayBytes && cursor.Next() {
		_, key, err := row.SplitPartition(cursor.Partition(), nil)
		if err != nil || len(key) != len(batchID{}) {
			continue
		}
		id := batchID(key)
		for _, cell := range cursor.Row().Column(batchColumn) {
			if c.opts.Now().Sub(id.made()) > batchAge {
				due = append(due, batch{id, bytes.Clone(cell.Value)})
				size += len(cell.Value)
			}
		}
	}
	err := cursor.Err()
	cursor.Close()
	done := 0
	for _, b := range due {
		if failed := c.replayBatch(ctx, b.id, b.body); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		done++
	}
	return done, err
}

const (
	replayBytes   = 8 << 20          // of batches that are replayed at once
	replayTimeout = 10 * time.Second // for all writes of one
)

// replayBatch carries out a batch and removes it.
func (c *Coordinator) replayBatch(ctx context.Context, id batchID, body []byte) error {
	_, mutations, err := decodeMutations(body)
	if err != nil {
		c.opts.Log.Error("a batch in the batchlog cannot be read", "made", id.made(), "error", err)
		return c.removeBatch(ctx, id)
	}
	ctx, cancel := context.WithTimeout(ctx, replayTimeout)
	defer cancel()
	s := c.opts.Schema()
	var writes []Write
	for _, m := range mutations {
		table := s.TableOf(m.Incarnation)
		if table == nil {
			continue // dropped or truncated
		}
		if c.opts.Now().Sub(id.made()) > time.Duration(table.Options.GCGraceSeconds)*time.Second && table.Options.GCGraceSeconds > 0 {
			continue // a deletion that is newer may have been forgotten
		}
		writes = append(writes, Write{Keyspace: s.Keyspace(table.Keyspace), Mutation: m})
	}
	if len(writes) > 0 {
		// With ANY, replicas that do not take it have hints, which are on disk here if no replica has it.
		if err := c.Write(ctx, nil, consistency.Any, writes...); err != nil {
			return err
		}
	}
	return c.removeBatch(ctx, id)
}

func shuffle(list []*ring.Endpoint) {
	mathrand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

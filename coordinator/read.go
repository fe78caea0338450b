package coordinator

import (
	"context"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
	"github.com/iliumdb/ilium/wire/peer"
)

// A Reading is what is to be known of a read beside what is read.
type Reading struct {
	Trace    *trace.Trace // may be nil
	Keyspace *schema.Keyspace
	Table    *schema.Table
	Level    consistency.Level
	Deadline time.Time // by the system's clock
	Rows     int       // how many live rows are wanted, probably; 0 means many
}

// blockBytes is how much of an answer a replica gathers before it sends it.
const blockBytes = 512 << 10

// Read returns a cursor over rows of one partition. The caller must close it, also after an error of the cursor.
// The cursor reads until ctx ends, which must be later than the cursor's Close.
//
// If the level is that of one replica and the node itself is one, the cursor is that of its engine. Otherwise rows
// come from the replicas in blocks, the first with as many rows as are wanted; see blocks. At SERIAL and LOCAL_SERIAL they
// show every conditional change that was made before, also by those who have not been told so.
func (c *Coordinator) Read(ctx context.Context, q *Reading, r *storage.Read) (*storage.Cursor, error) {
	token, err := row.PartitionToken(r.Partition)
	if err != nil {
		return nil, err
	}
	p, err := c.plan(q.Keyspace, q.Level, ring.Token(token), false)
	if err != nil {
		return nil, err
	}
	if q.Level.IsSerial() {
		return c.readSerial(ctx, q, r)
	}
	if q.Trace.On() {
		q.Trace.Add("Reading data from %s", c.describe(&p, q.Level))
	}
	if c.answersAlone(&p) {
		return c.engine.Read(r), nil
	}
	at := *r
	b := &blocks{coordinator: c, ctx: ctx, reading: q, plan: p, at: &at, token: ring.Token(token)}
	return storage.NewReadCursor(r, b.rest, c.blockOptions(q)), nil
}

// readSerial is Read at SERIAL and LOCAL_SERIAL.
func (c *Coordinator) readSerial(ctx context.Context, q *Reading, r *storage.Read) (*storage.Cursor, error) {
	t := &contest{coordinator: c, wanted: q.Rows, transaction: &Transaction{Trace: q.Trace, Keyspace: q.Keyspace, Table: q.Table,
		Serial: q.Level, Read: r, Deadline: q.Deadline}}
	_, rows, err := t.run(ctx)
	if err != nil {
		return nil, err
	}
	return storage.NewReadCursor(r, rows, c.blockOptions(q)), nil
}

func (c *Coordinator) blockOptions(q *Reading) storage.BlockOptions {
	return storage.BlockOptions{Table: q.Table.String(), TombstoneFail: c.opts.TombstoneFail}
}

// answersAlone reports whether this node's own data are all that a read needs.
func (c *Coordinator) answersAlone(p *plan) bool {
	if len(p.quotas) != 1 || p.quotas[0].required != 1 {
		return false
	}
	for _, e := range p.replicas {
		if e.ID == c.cluster.Self() {
			return p.quotas[0].counts(e)
		}
	}
	return false
}

// A query is what is asked of replicas: a Read or a Scan.
type query struct {
	read  *storage.Read
	scan  *storage.Scan
	limit storage.Limit
}

func (q *query) incarnation() uint32 {
	if q.read != nil {
		return q.read.Incarnation
	}
	return q.scan.Incarnation
}

func (q *query) reverse() bool { return q.read != nil && q.read.Reverse }

// The flags of VerbRead's body.
const (
	flagDigest = 1 << iota // the hash of the block is enough
	flagScan               // a Scan follows, not a Read
)

// append appends the body of VerbRead: the epochs, flags, and the request.
func (q *query) append(e epochs, digest bool) []byte {
	flags := byte(0)
	if digest {
		flags |= flagDigest
	}
	dst := e.append(make([]byte, 0, q.size()))
	if q.scan != nil {
		return storage.AppendScan(append(dst, flags|flagScan), q.scan, q.limit)
	}
	return storage.AppendRead(append(dst, flags), q.read, q.limit)
}

// size returns about how many bytes append appends.
func (q *query) size() int {
	n := 64
	if q.scan != nil {
		return n + len(q.scan.Start) + len(q.scan.End)
	}
	for i := range q.read.Slices {
		n += len(q.read.Slices[i].Start) + len(q.read.Slices[i].End) + 4
	}
	return n + len(q.read.Partition)
}

// block answers a query from the node's own data.
func (c *Coordinator) block(dst []byte, q *query) ([]byte, error) {
	var err error
	if q.scan != nil {
		dst, _, err = c.engine.ScanBlock(dst, q.scan, q.limit)
	} else {
		dst, _, err = c.engine.ReadBlock(dst, q.read, q.limit)
	}
	return dst, err
}

// answer is the replica's part of a read: it answers with a block, or the hash of one.
func (c *Coordinator) answer(ctx context.Context, r *peer.Request) ([]byte, error) {
	q, epochs, digest, err := decodeQuery(r.Body)
	if err != nil {
		return nil, malformed(err)
	}
	if r.Verb == peer.VerbRead {
		if err := c.refuse(epochs); err != nil {
			return nil, err
		}
	}
	known, err := c.knows(ctx, epochs.schema, q.incarnation())
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, &peer.Failure{Code: codeSchema, Message: "the table has been dropped or truncated"}
	}
	block, err := c.block(r.Memory[:0], &q)
	if err != nil {
		return nil, failure(err)
	}
	if digest {
		sum := storage.Digest(block)
		return append(block[:0], sum[:]...), nil
	}
	return block, nil
}

// decodeQuery takes apart what query.append made. The query shares b's memory.
func decodeQuery(b []byte) (q query, e epochs, digest bool, err error) {
	if b, err = e.take(b); err != nil {
		return query{}, e, false, err
	}
	if len(b) == 0 {
		return query{}, e, false, errShort
	}
	flags := b[0]
	if flags&^(flagDigest|flagScan) != 0 {
		return query{}, e, false, errFlags
	}
	if b = b[1:]; flags&flagScan != 0 {
		q.scan, q.limit, b, err = storage.DecodeScan(b)
	} else {
		q.read, q.limit, b, err = storage.DecodeRead(b)
	}
	if err == nil && len(b) > 0 {
		err = errLong
	}
	return q, e, flags&flagDigest != 0, err
}

package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/trace"
)

// A mutation may be larger than a Badger transaction. It is then staged first: stored in pieces,
// and at last a mark that there are all. From then on it will be carried out even after a crash.
// Then its entries are committed in parts. None of all that becomes visible before the last part,
// which also removes what was staged. Open carries out what it finds staged whole, and removes
// what it finds staged in part.
//
// The pieces are small enough to be kept out of Badger's value log, which gives space back only
// by whole files.

// metaStaged is the kind of metadata under which mutations are staged: after it comes the number
// of the mutation, u64, and of the piece, u32; stagedWhole for the mark, which holds how many there are.
const (
	metaStaged  = 'b'
	stagedWhole = math.MaxUint32
)

func stagedKey(id uint64, piece uint32) []byte {
	return metaKey(metaStaged, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, id), piece))
}

// A pair is one storage key with its sealed value.
type pair struct{ key, value []byte }

// payload is what a value takes in Badger's value log.
func (e *Engine) payload(value []byte) int64 {
	if int64(len(value)) < e.valueThreshold {
		return 0
	}
	return int64(len(value))
}

// footprint is what Badger counts for an entry towards the size of a transaction.
func (e *Engine) footprint(key, value []byte) int64 {
	if e.payload(value) > 0 {
		return int64(len(key)) + 2*entryOverhead // only a pointer; the value goes to the value log
	}
	return int64(len(key)+len(value)) + entryOverhead
}

// applyLarge stages the mutations and carries them out. Once it is queued all of it is done,
// whether or not ctx ends.
func (e *Engine) applyLarge(ctx context.Context, t *trace.Trace, mutations []*row.Mutation) error {
	var pairs []pair
	for _, m := range mutations {
		for i := range m.Len() {
			key, value := m.Entry(i)
			pairs = append(pairs, pair{key, value})
		}
	}
	encoded := encodePairs(pairs...)
	s := &sequence{size: 2 * int64(len(encoded))}
	staging, staged := e.stage(e.stagedID.Add(1), encoded, s)
	parts := e.applyStaged(staged, pairs, s)
	if t.On() {
		t.Add("Larger than a commit group: staged by %d commits, then carried out by %d, of which the last makes all visible", len(staging), len(parts))
		parts[len(parts)-1].trace = t
	}
	return e.commit.submit(ctx, append(staging, parts...)...)
}

// stage returns the requests that store a mutation's encoded pairs, and the keys they store.
func (e *Engine) stage(id uint64, encoded []byte, s *sequence) (requests []*request, keys [][]byte) {
	pieces := uint32(0)
	for len(encoded) > 0 {
		r := &request{exclusive: true, hold: true, sequence: s}
		for size := int64(0); len(encoded) > 0 && size < e.groupSize/2; pieces++ {
			n := min(len(encoded), int(e.valueThreshold/2))
			key := stagedKey(id, pieces)
			r.changes = append(r.changes, change{key: key, value: sealMeta(key, encoded[:n])})
			keys = append(keys, key)
			encoded, size = encoded[n:], size+int64(n)
		}
		requests = append(requests, r)
	}
	key := stagedKey(id, stagedWhole)
	mark := change{key: key, value: sealMeta(key, binary.AppendUvarint(nil, uint64(pieces)))}
	return append(requests, &request{exclusive: true, hold: true, sequence: s, changes: []change{mark}}), append(keys, key)
}

// applyStaged returns the requests that commit the pairs of a staged mutation, and remove it.
func (e *Engine) applyStaged(staged [][]byte, pairs []pair, s *sequence) (parts []*request) {
	for len(pairs) > 0 {
		size, payload, n := int64(0), int64(0), 0
		for n < len(pairs) && n < e.groupCount/2 && size < e.groupSize/2 && payload < e.groupPayload/2 {
			size += e.footprint(pairs[n].key, pairs[n].value)
			payload += e.payload(pairs[n].value)
			n++
		}
		parts = append(parts, &request{pairs: pairs[:n:n], exclusive: true, hold: true, sequence: s})
		pairs = pairs[n:]
	}
	end := &request{exclusive: true, sequence: s}
	for _, key := range staged {
		end.changes = append(end.changes, change{key: key, op: opDelete})
	}
	return append(parts, end)
}

// finishStaged carries out what a crash left staged, and removes what it left half staged. That
// is done also where writes are refused, as long as the disk has room for it: some of a mutation
// may be there already, and none may be seen without the rest.
func (e *Engine) finishStaged() error {
	prefix := metaKey(metaStaged, nil)
	txn := e.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := iterate(txn, prefix, false, false)
	defer it.Close()
	var keys [][]byte // of the mutation at hand
	var encoded []byte
	id := uint64(0)
	for it.Seek(prefix); it.Valid(); it.Next() {
		key := it.Item().KeyCopy(nil)
		if len(key) != len(stagedKey(0, 0)) {
			return stagedError("a malformed key")
		}
		if at := binary.BigEndian.Uint64(key[len(prefix):]); at != id {
			if err := e.finish(keys, nil); err != nil {
				return err
			}
			id, keys, encoded = at, nil, nil
			e.stagedID.Store(id)
		}
		sealed, err := it.Item().ValueCopy(nil)
		if err != nil {
			return err
		}
		body, ok := row.Open(key, sealed)
		if !ok || body[0] != metaKind {
			return stagedError(errChecksum.Error())
		}
		keys, body = append(keys, key), body[1:]
		if binary.BigEndian.Uint32(key[len(key)-4:]) != stagedWhole {
			encoded = append(encoded, body...)
			continue
		}
		if pieces, _ := binary.Uvarint(body); pieces != uint64(len(keys)-1) {
			return stagedError(fmt.Sprintf("%d of %d pieces", len(keys)-1, pieces))
		}
		pairs, err := decodePairs(encoded)
		if err == nil {
			err = e.finish(keys, pairs)
		}
		if err != nil {
			return err
		}
		keys = nil
	}
	return e.finish(keys, nil)
}

func (e *Engine) finish(staged [][]byte, pairs []pair) error {
	if len(staged) == 0 {
		return nil
	}
	need := int64(0)
	for _, p := range pairs {
		need += 2 * int64(len(p.key)+len(p.value)) // in the log, and later in a table
	}
	if free, err := e.disk.free(); err == nil && free < need {
		return &DiskFullError{Dir: e.opts.Dir, Free: free, Floor: need} // Badger would fault
	}
	return e.commit.submit(context.Background(), e.applyStaged(staged, pairs, &sequence{begun: true})...)
}

func stagedError(cause string) error {
	return &CorruptError{Table: "metadata", Key: "a staged mutation", Cause: cause}
}

func encodePairs(pairs ...pair) (encoded []byte) {
	for _, p := range pairs {
		encoded = append(binary.AppendUvarint(encoded, uint64(len(p.key))), p.key...)
		encoded = append(binary.AppendUvarint(encoded, uint64(len(p.value))), p.value...)
	}
	return encoded
}

// decodePairs is the inverse of encodePairs. The pairs share its memory.
func decodePairs(rest []byte) ([]pair, error) {
	malformed := false
	number := func() int {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)) {
			malformed, rest = true, nil
			return 0
		}
		rest = rest[k:]
		return int(n)
	}
	bytes := func() []byte {
		n := number()
		if n > len(rest) {
			malformed, rest = true, nil
			return nil
		}
		b := rest[:n:n]
		rest = rest[n:]
		return b
	}
	var pairs []pair
	for len(rest) > 0 {
		pairs = append(pairs, pair{bytes(), bytes()})
	}
	for i := range pairs {
		key := pairs[i].key
		malformed = malformed || len(key) < row.TablePrefixSize
		if !malformed {
			_, err := row.PartitionEnd(key[row.TablePrefixSize:])
			malformed = err != nil
		}
	}
	if malformed || len(pairs) == 0 {
		return nil, stagedError("malformed")
	}
	return pairs, nil
}

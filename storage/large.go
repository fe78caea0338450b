package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"math"

	"github.com/iliumdb/ilium/storage/row"
)

// A mutation may be larger than a Badger transaction. It is then staged first: stored whole as
// one value, in one transaction. From then on it will be carried out even after a crash. Then its
// entries are committed in parts, none of which becomes visible before the last. The last part
// also removes the staged value; Open carries out what it finds staged.

// metaStaged is the kind of metadata under which mutations are staged.
const metaStaged = 'b'

// A pair is one storage key with its sealed value.
type pair struct{ key, value []byte }

// footprint is what Badger counts for an entry towards the size of a transaction.
func (e *Engine) footprint(key, value []byte) int64 {
	if int64(len(value)) >= e.valueThreshold {
		return int64(len(key)) + 2*entryOverhead // only a pointer; the value goes to the value log
	}
	return int64(len(key)+len(value)) + entryOverhead
}

// applyLarge stages the mutations and carries them out.
func (e *Engine) applyLarge(ctx context.Context, mutations []*row.Mutation) error {
	var pairs []pair
	staged := row.BeginSeal(nil)
	staged = append(staged, metaKind)
	for _, m := range mutations {
		for i := range m.Len() {
			key, value := m.Entry(i)
			pairs = append(pairs, pair{key, value})
			staged = append(binary.AppendUvarint(staged, uint64(len(key))), key...)
			staged = append(binary.AppendUvarint(staged, uint64(len(value))), value...)
		}
	}
	key := metaKey(metaStaged, binary.BigEndian.AppendUint64(nil, e.stagedID.Add(1)))
	row.EndSeal(key, staged)
	put := &request{exclusive: true, changes: []change{{key: key, value: staged}}}
	if err := e.commit.submit(ctx, put); err != nil {
		return err
	}
	return e.applyStaged(ctx, key, pairs)
}

// applyStaged commits the pairs of a staged mutation and removes it.
func (e *Engine) applyStaged(ctx context.Context, stagedKey []byte, pairs []pair) error {
	var parts []*request
	for len(pairs) > 0 {
		size, n := int64(0), 0
		for n < len(pairs) && n < e.groupCount/2 && (n == 0 || size < e.groupSize/2) {
			size += e.footprint(pairs[n].key, pairs[n].value)
			n++
		}
		parts = append(parts, &request{pairs: pairs[:n:n], exclusive: true, hold: true, size: size, count: n})
		pairs = pairs[n:]
	}
	last := parts[len(parts)-1]
	last.hold, last.changes = false, []change{{key: stagedKey, op: opDelete}}
	return e.commit.submit(ctx, parts...)
}

// finishStaged carries out what a crash left staged.
func (e *Engine) finishStaged() error {
	prefix := metaKey(metaStaged, nil)
	txn := e.db.NewTransactionAt(math.MaxUint64, false)
	defer txn.Discard()
	it := iterate(txn, prefix, false, false)
	defer it.Close()
	for it.Seek(prefix); it.Valid(); it.Next() {
		key := it.Item().KeyCopy(nil)
		e.stagedID.Store(binary.BigEndian.Uint64(append(key[len(prefix):], make([]byte, 8)...)))
		staged, err := it.Item().ValueCopy(nil)
		if err != nil {
			return err
		}
		pairs, err := decodeStaged(key, staged)
		if err != nil {
			return &CorruptError{Table: "metadata", Key: "a staged mutation", Cause: err.Error()}
		}
		if err := e.applyStaged(context.Background(), key, pairs); err != nil {
			return err
		}
	}
	return nil
}

func decodeStaged(key, sealed []byte) ([]pair, error) {
	body, ok := row.Open(key, sealed)
	if !ok || body[0] != metaKind {
		return nil, errChecksum
	}
	rest := body[1:]
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
	if malformed || len(pairs) == 0 {
		return nil, errors.New("malformed staged mutation")
	}
	return pairs, nil
}

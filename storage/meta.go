package storage

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/iliumdb/ilium/storage/row"
)

// Incarnation 0 belongs to the engine and the node: small values under names, not rows.
//
//	0 u32 | kind u8 | name
const (
	metaUser    = 'u' // what Put stores
	metaHeaders = 'h' // an incarnation that has partition headers
	metaCommit  = 'c' // written with every group, so that the newest version is never compacted away
)

func metaKey(kind byte, name []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, 0), kind), name...)
}

func headersKey(incarnation uint32) []byte {
	return metaKey(metaHeaders, binary.BigEndian.AppendUint32(nil, incarnation))
}

func sealMeta(key, value []byte) []byte {
	sealed := append(row.BeginSeal(nil), metaKind)
	sealed = append(sealed, value...)
	row.EndSeal(key, sealed)
	return sealed
}

// metaKind is in front of every metadata value, so that even an empty one has something to check.
const metaKind = 1

// A Put is a change of one named value: see Engine.Put.
type Put struct {
	Name  string
	Value []byte // nil deletes
}

// Put durably stores named values beside the tables, all or none. It is for what the node must
// remember about itself: its schema, its identity.
func (e *Engine) Put(ctx context.Context, puts ...Put) error {
	r := &request{exclusive: true}
	for _, p := range puts {
		key := metaKey(metaUser, []byte(p.Name))
		ch := change{key: key, op: opDelete}
		if p.Value != nil {
			ch = change{key: key, value: sealMeta(key, p.Value), op: opReplace}
		}
		r.changes = append(r.changes, ch)
	}
	return e.commit.submit(ctx, r)
}

// Values calls visit for every named value whose name starts with prefix, in order of name.
// The value may be kept. It fails with a *CorruptError if one is damaged.
func (e *Engine) Values(prefix string, visit func(name string, value []byte) error) error {
	key := metaKey(metaUser, []byte(prefix))
	if err := e.damagedMeta(key); err != nil {
		return err
	}
	e.view.RLock()
	if e.closed {
		e.view.RUnlock()
		return ErrClosed
	}
	e.calls.Add(1)
	txn := e.db.NewTransactionAt(e.visible.Load(), false)
	it := iterate(txn, key, false, false)
	e.view.RUnlock()
	defer e.calls.Done()
	defer txn.Discard()
	defer it.Close()
	for it.Seek(key); it.Valid(); it.Next() {
		item := it.Item()
		name := string(item.Key()[row.TablePrefixSize:])
		sealed, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		body, ok := row.Open(item.Key(), sealed)
		if !ok || body[0] != metaKind {
			return &CorruptError{Table: "metadata", Key: name, Cause: errChecksum.Error()}
		}
		if err := visit(name, bytes.Clone(body[1:])); err != nil {
			return err
		}
	}
	return nil
}

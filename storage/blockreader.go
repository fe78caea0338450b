package storage

import (
	"bytes"

	"github.com/iliumdb/ilium/codec"
	"github.com/iliumdb/ilium/storage/row"
)

// A BlockReader decodes a block. The zero BlockReader is an empty, complete block.
type BlockReader struct {
	in        codec.Reader
	more      bool // behind the block
	reverse   bool
	key       []byte
	partition int // length of the partition's part of key; 0 before the first entry
	reference int64
	row       row.Fragment
	err       error
}

// Reset begins with another block, any bytes. The block must not change while it is read.
func (r *BlockReader) Reset(block []byte) {
	r.in, r.more, r.reverse = codec.Reader{}, false, false
	r.key, r.partition, r.reference, r.err = r.key[:0], 0, 0, nil
	r.row.Reset()
	switch {
	case len(block) == 0:
		r.err = &BlockError{"it is empty"}
	case block[0]>>blockVersionShift != blockVersion || block[0]&^(blockComplete|blockReversed) != blockVersion<<blockVersionShift:
		r.err = &BlockError{"its format is not known"}
	default:
		r.in, r.more, r.reverse = *codec.NewReader(block[1:]), block[0]&blockComplete == 0, block[0]&blockReversed != 0
		if r.more && r.in.Len() == 0 {
			r.err = &BlockError{"it has no entries and is not complete"}
		}
	}
}

// Next moves to the next entry and reports whether there is one; if not, see Err.
func (r *BlockReader) Next() bool {
	if r.err != nil || r.in.Len() == 0 {
		return false
	}
	shared, rest, body := r.in.Uvarint(), r.in.Bytes(), r.in.Bytes()
	if r.in.Failed() {
		r.err = &BlockError{"it ends early"}
	} else if r.err = r.setKey(shared, rest); r.err == nil {
		r.err = row.DecodeBody(body, r.reference, &r.row)
	}
	if r.err != nil {
		return false
	}
	r.reference = r.row.BaseTimestamp()
	return true
}

// setKey moves to the key that shares so many bytes with the one before. It must lie behind it.
func (r *BlockReader) setKey(shared uint64, rest []byte) error {
	if shared > uint64(len(r.key)) || shared+uint64(len(rest)) > maxKey {
		return &BlockError{"the length of a key is wrong"}
	}
	n := int(shared)
	order := bytes.Compare(rest, r.key[n:])
	before := r.partition
	wasHeader := before > 0 && row.Kind(r.key[before]) == row.KindHeader
	r.key = append(r.key[:n], rest...)
	if n < before || before == 0 {
		end, err := row.PartitionEnd(r.key)
		if err != nil {
			return err
		}
		r.partition = end
	} else if len(r.key) == before {
		return &BlockError{"a key has no kind"}
	}
	kind := row.Kind(r.key[r.partition])
	switch {
	case kind > row.KindRow || kind == row.KindHeader && len(r.key) > r.partition+1:
		return &BlockError{"a key is of an unknown kind"}
	case before == 0:
	case r.reverse && n < before:
		return &BlockError{"it is reversed and has several partitions"}
	case r.reverse && !wasHeader && (order >= 0 || kind == row.KindHeader), (!r.reverse || wasHeader) && order <= 0:
		return &BlockError{"its keys are not in order"}
	}
	return nil
}

// Key returns the row key of the entry, valid until Next. Behind the last entry it is still that.
func (r *BlockReader) Key() []byte { return r.key }

// Row returns the entry, valid until Next. Its values share the block's memory.
func (r *BlockReader) Row() *row.Fragment { return &r.row }

// Complete reports whether nothing is behind the block.
func (r *BlockReader) Complete() bool { return !r.more }

// Err returns what is wrong with the block, or nil.
func (r *BlockReader) Err() error { return r.err }

// A BlockError reports bytes that are no block, or a block that is no answer to what was asked.
type BlockError struct {
	What string
}

func (e *BlockError) Error() string { return "malformed block: " + e.What }

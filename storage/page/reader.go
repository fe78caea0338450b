package page

import (
	"bytes"
	"encoding/binary"

	"github.com/iliumdb/ilium/storage/row"
)

// A Reader walks over the rows of one page after another, in both directions. Its memory is
// reused from page to page. It is not safe for concurrent use.
type Reader struct {
	codec *Codec
	info  Info

	reference int64
	raw       []byte // the payload, decompressed
	common    []byte // prefix of all keys
	entries   []byte // the entries' part of raw
	restarts  []byte // their offsets in entries, u32 each, relative to raw

	block []rowEntry // the decoded block between two restarts
	keys  []byte     // their keys
	at    int        // position in block
	index int        // which block
}

type rowEntry struct {
	keyStart, keyEnd int // in keys
	body             []byte
}

// NewReader returns a Reader with no page.
func NewReader(codec *Codec) *Reader { return &Reader{codec: codec} }

// Load checks the sealed page against its storage key and takes it. The Reader keeps no
// reference to sealed. It stands before the first row; call SeekGE, SeekLT, First or Last.
func (r *Reader) Load(key, sealed []byte) error {
	r.info, r.raw, r.block = Info{}, r.raw[:0], r.block[:0]
	body, ok := row.Open(key, sealed)
	if !ok {
		return ErrCorrupt
	}
	info, compressed, reference, payload, err := parseHead(body)
	if err != nil {
		return err
	}
	if compressed {
		r.raw, err = r.codec.decoder.DecodeAll(payload, r.raw)
		if err != nil {
			return ErrCorrupt
		}
	} else {
		r.raw = append(r.raw, payload...)
	}
	if len(r.raw) != info.RawSize {
		return ErrCorrupt
	}
	r.info, r.reference = info, reference
	return r.index0()
}

// index0 finds the parts of a freshly loaded payload.
func (r *Reader) index0() error {
	r.common, r.entries, r.restarts = nil, nil, nil
	if len(r.raw) == 0 {
		return nil
	}
	common, n := binary.Uvarint(r.raw)
	if n <= 0 || common > uint64(len(r.raw)-n) || len(r.raw) < n+4 {
		return ErrCorrupt
	}
	r.common = r.raw[n : n+int(common)]
	count := int(binary.LittleEndian.Uint32(r.raw[len(r.raw)-4:]))
	table := len(r.raw) - 4 - 4*count
	if table < n+int(common) || table > len(r.raw) {
		return ErrCorrupt
	}
	r.entries, r.restarts = r.raw[:table], r.raw[table:len(r.raw)-4]
	return nil
}

// Info returns what the loaded page says of itself.
func (r *Reader) Info() Info { return r.info }

// HasRows reports whether there are rows in the page.
func (r *Reader) HasRows() bool { return r.blocks() > 0 }

// Reference returns the timestamp that the bodies' timestamps are relative to.
func (r *Reader) Reference() int64 { return r.reference }

// Valid reports whether the Reader stands on a row.
func (r *Reader) Valid() bool { return r.at >= 0 && r.at < len(r.block) }

// Key returns the row key it stands on, valid until the Reader moves.
func (r *Reader) Key() []byte {
	e := &r.block[r.at]
	return r.keys[e.keyStart:e.keyEnd]
}

// Body returns the row's encoding, valid until the next Load.
func (r *Reader) Body() []byte { return r.block[r.at].body }

// First moves to the first row.
func (r *Reader) First() error { return r.enter(0, 0) }

// Last moves to the last row.
func (r *Reader) Last() error {
	if err := r.enter(r.blocks()-1, 0); err != nil || len(r.block) == 0 {
		return err
	}
	r.at = len(r.block) - 1
	return nil
}

// Next moves to the next row, if any; see Valid.
func (r *Reader) Next() error {
	if r.at++; r.at < len(r.block) || r.index+1 >= r.blocks() {
		return nil
	}
	return r.enter(r.index+1, 0)
}

// Prev moves to the row before, if any; see Valid.
func (r *Reader) Prev() error {
	if r.at--; r.at >= 0 || r.index == 0 {
		return nil
	}
	if err := r.enter(r.index-1, 0); err != nil {
		return err
	}
	r.at = len(r.block) - 1
	return nil
}

// SeekGE moves to the first row whose key is at or after rowKey.
func (r *Reader) SeekGE(rowKey []byte) error {
	lo, hi := 0, r.blocks()
	for lo+1 < hi { // the last block that starts at or before rowKey
		mid := (lo + hi) / 2
		key, err := r.blockKey(mid)
		if err != nil {
			return err
		}
		if comparePrefixed(r.common, key, rowKey) <= 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	if err := r.enter(lo, 0); err != nil {
		return err
	}
	for r.Valid() && bytes.Compare(r.Key(), rowKey) < 0 {
		if err := r.Next(); err != nil {
			return err
		}
	}
	return nil
}

// SeekLT moves to the last row whose key is before rowKey.
func (r *Reader) SeekLT(rowKey []byte) error {
	if err := r.SeekGE(rowKey); err != nil {
		return err
	}
	if !r.Valid() {
		return r.Last()
	}
	return r.Prev()
}

func (r *Reader) blocks() int { return len(r.restarts) / 4 }

func (r *Reader) restart(block int) int {
	return int(binary.LittleEndian.Uint32(r.restarts[4*block:]))
}

// blockKey returns the first key of a block without the common prefix.
func (r *Reader) blockKey(block int) ([]byte, error) {
	offset := r.restart(block)
	if offset >= len(r.entries) {
		return nil, ErrCorrupt
	}
	_, rest, _, _, err := parseEntry(r.entries[offset:])
	return rest, err
}

// enter decodes a block and stands on its row at.
func (r *Reader) enter(block, at int) error {
	r.block, r.keys, r.index, r.at = r.block[:0], r.keys[:0], block, at
	if block < 0 || block >= r.blocks() {
		return nil
	}
	from, to := r.restart(block), len(r.entries)
	if block+1 < r.blocks() {
		to = r.restart(block + 1)
	}
	if from > to || to > len(r.entries) {
		return ErrCorrupt
	}
	todo := r.entries[from:to]
	before := 0 // where the key before starts in keys
	for len(todo) > 0 {
		shared, rest, body, n, err := parseEntry(todo)
		if err != nil {
			return err
		}
		start := len(r.keys)
		if shared > start-before-len(r.common) && shared > 0 {
			return ErrCorrupt
		}
		r.keys = append(r.keys, r.common...)
		if shared > 0 {
			r.keys = append(r.keys, r.keys[before+len(r.common):before+len(r.common)+shared]...)
		}
		r.keys = append(r.keys, rest...)
		r.block = append(r.block, rowEntry{start, len(r.keys), body})
		before, todo = start, todo[n:]
	}
	return nil
}

// parseEntry takes one entry apart; n is its length.
func parseEntry(b []byte) (shared int, rest, body []byte, n int, err error) {
	s, i := binary.Uvarint(b)
	if i <= 0 || s > maxRawSize {
		return 0, nil, nil, 0, ErrCorrupt
	}
	for _, part := range []*[]byte{&rest, &body} {
		size, k := binary.Uvarint(b[i:])
		if k <= 0 || size > uint64(len(b)-i-k) {
			return 0, nil, nil, 0, ErrCorrupt
		}
		i += k
		*part = b[i : i+int(size) : i+int(size)]
		i += int(size)
	}
	return int(s), rest, body, i, nil
}

// comparePrefixed compares prefix+rest with key.
func comparePrefixed(prefix, rest, key []byte) int {
	n := min(len(prefix), len(key))
	if c := bytes.Compare(prefix[:n], key[:n]); c != 0 {
		return c
	}
	if len(prefix) > n {
		return 1
	}
	return bytes.Compare(rest, key[n:])
}

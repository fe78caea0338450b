package page

import (
	"encoding/binary"

	"github.com/iliumdb/ilium/storage/row"
)

// A Writer cuts a run of rows into pages of even size.
//
// Rows are added in key order; Finish ends the run. Pages go out through emit as soon as their
// rows are known. A Writer may be used for one run after the other.
type Writer struct {
	codec    *Codec
	target   int // bytes of rows per page, before compression
	compress bool
	emit     func(upper []byte, info Info, seal Seal)

	through   uint64
	reference int64
	arena     []byte // keys and bodies
	entries   []entry
	size      int // bytes of the entries in arena
	payload   []byte
}

type entry struct {
	key, body, end int // offsets into arena
	first          int64
	hasFirst       bool
}

// Seal appends the sealed page to dst, for the storage key that it will have.
type Seal func(dst, key []byte) []byte

// NewWriter returns a Writer that makes pages of about target bytes of rows, between half and
// one and a half of it where the rows allow, compressed if that saves at least an eighth.
func NewWriter(codec *Codec, target int, compress bool, emit func(upper []byte, info Info, seal Seal)) *Writer {
	return &Writer{codec: codec, target: target, compress: compress, emit: emit}
}

// Begin starts a run. through goes into all its pages.
func (w *Writer) Begin(through uint64) {
	w.through = through
	w.reset()
}

func (w *Writer) reset() {
	w.arena, w.entries, w.size = w.arena[:0], w.entries[:0], 0
}

// Add adds a merged row under its row key, which must be greater than the one before.
func (w *Writer) Add(rowKey []byte, f *row.Fragment) {
	if len(w.entries) == 0 {
		w.reference = f.BaseTimestamp()
	}
	e := entry{key: len(w.arena)}
	w.arena = append(w.arena, rowKey...)
	e.body = len(w.arena)
	w.arena = row.AppendBody(w.arena, f, w.reference)
	e.end = len(w.arena)
	e.first, e.hasFirst = f.PurgeableFrom()
	w.entries = append(w.entries, e)
	w.size += e.end - e.key
	if w.size >= 2*w.target && len(w.entries) > 1 {
		w.cut(w.split(w.target), nil)
	}
}

// Finish ends the run. The last page covers up to upper, or up to its last row if upper is nil.
// A run without rows makes one empty page if upper is given, and none otherwise.
func (w *Writer) Finish(upper []byte) {
	if w.size > w.target*3/2 && len(w.entries) > 1 {
		w.cut(w.split(w.size/2), nil)
	}
	if len(w.entries) > 0 || upper != nil {
		w.cut(len(w.entries), upper)
	}
	w.reset()
}

// Cover ends the run like Finish, but a run without rows makes a page that covers up to upper all
// the same.
func (w *Writer) Cover(upper []byte) {
	if len(w.entries) > 0 {
		w.Finish(upper)
		return
	}
	w.reference = 0
	w.encode(nil)
	info := Info{Through: w.through, RawSize: len(w.payload)}
	w.emit(upper, info, func(dst, key []byte) []byte { return w.seal(dst, key, info) })
	w.reset()
}

// split returns how many entries from the first make about size bytes: at least one, and never all.
func (w *Writer) split(size int) int {
	sum, n := 0, 0
	for n < len(w.entries)-1 && (n == 0 || sum < size) {
		sum += w.entries[n].end - w.entries[n].key
		n++
	}
	return n
}

// cut emits the first n entries as a page.
func (w *Writer) cut(n int, upper []byte) {
	page := w.entries[:n]
	if upper == nil {
		last := page[n-1]
		upper = w.arena[last.key:last.body]
	}
	info := Info{Through: w.through}
	for i := range page {
		e := &page[i]
		w.size -= e.end - e.key
		if e.hasFirst && (!info.HasTimes || e.first < info.FirstTime) {
			info.FirstTime, info.HasTimes = e.first, true
		}
	}
	if n > 0 {
		w.encode(page)
		info.RawSize = len(w.payload)
	}
	w.emit(upper, info, func(dst, key []byte) []byte { return w.seal(dst, key, info) })
	if n == len(w.entries) {
		w.reset()
		return
	}
	offset := w.entries[n].key
	w.arena = append(w.arena[:0], w.arena[offset:]...)
	w.entries = append(w.entries[:0], w.entries[n:]...)
	for i := range w.entries {
		e := &w.entries[i]
		e.key, e.body, e.end = e.key-offset, e.body-offset, e.end-offset
	}
}

// encode fills payload with entries.
func (w *Writer) encode(entries []entry) {
	key := func(i int) []byte { return w.arena[entries[i].key:entries[i].body] }
	common := 0
	if len(entries) > 0 {
		common = commonPrefix(key(0), key(len(entries)-1))
	}
	out := binary.AppendUvarint(w.payload[:0], uint64(common))
	out = append(out, w.arena[:common]...) // the arena starts with the first key
	var restarts []uint32
	for i := range entries {
		shared := 0
		if i%restartInterval == 0 {
			restarts = append(restarts, uint32(len(out)))
		} else {
			shared = commonPrefix(key(i - 1)[common:], key(i)[common:])
		}
		rest := key(i)[common+shared:]
		body := w.arena[entries[i].body:entries[i].end]
		out = binary.AppendUvarint(out, uint64(shared))
		out = append(binary.AppendUvarint(out, uint64(len(rest))), rest...)
		out = append(binary.AppendUvarint(out, uint64(len(body))), body...)
	}
	for _, r := range restarts {
		out = binary.LittleEndian.AppendUint32(out, r)
	}
	w.payload = binary.LittleEndian.AppendUint32(out, uint32(len(restarts)))
}

func (w *Writer) seal(dst, key []byte, info Info) []byte {
	start := len(dst)
	dst = row.BeginSeal(dst)
	head := len(dst)
	dst = appendHead(dst, info, headCompressed, w.reference)
	payload := len(dst)
	if w.compress && info.RawSize > 0 {
		dst = w.codec.encoder.EncodeAll(w.payload, dst)
	}
	if info.RawSize > 0 && len(dst)-payload > info.RawSize*7/8 || len(dst) == payload {
		dst = appendHead(dst[:head], info, 0, w.reference)
		dst = append(dst, w.payload[:info.RawSize]...)
	}
	row.EndSeal(key, dst[start:])
	return dst
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+8 <= n && binary.LittleEndian.Uint64(a[i:]) == binary.LittleEndian.Uint64(b[i:]) {
		i += 8
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

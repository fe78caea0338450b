package peer

import (
	"sync"

	"github.com/klauspost/compress/s2"
)

const (
	// chunkSize is how much memory for frames comes in one piece.
	chunkSize = 32 << 10
	// copiedSize is up to what size payloads are copied behind one another. Larger ones have memory of their own, so that
	// nobody holds a lock while they are copied.
	copiedSize = 4 << 10
	// compressedSize is from what size on payloads are compressed.
	compressedSize = 1 << 10
)

// A chunk is memory with frames in it.
type chunk struct{ b []byte }

// chunks keeps memory for frames.
type chunks struct{ pool sync.Pool }

// get returns an empty chunk for at least n bytes.
func (c *chunks) get(n int) *chunk {
	if n > chunkSize {
		return &chunk{b: make([]byte, 0, n)}
	}
	if k, ok := c.pool.Get().(*chunk); ok {
		return k
	}
	return &chunk{b: make([]byte, 0, chunkSize)}
}

// put takes a chunk back.
func (c *chunks) put(k *chunk) {
	if cap(k.b) == chunkSize {
		k.b = k.b[:0]
		c.pool.Put(k)
	}
}

// A parcel is a payload that is ready to be sent: all that takes time is done.
type parcel struct {
	small      []byte // the payload itself, borrowed
	own        *chunk // or the payload behind room for a header
	compressed bool
	checksum   uint32
}

// pack makes a parcel of a payload. It borrows the payload unless apart is set or the payload is large.
func (c *chunks) pack(payload []byte, compress, apart bool) parcel {
	if compress && len(payload) >= compressedSize {
		k := c.get(headerSize + s2.MaxEncodedLen(len(payload)))
		b := s2.Encode(k.b[headerSize:cap(k.b)], payload)
		if len(b) < len(payload)-len(payload)/16 {
			k.b = k.b[:headerSize+len(b)]
			return parcel{own: k, compressed: true, checksum: checksum(b)}
		}
		c.put(k)
	}
	if !apart && len(payload) <= copiedSize {
		return parcel{small: payload, checksum: checksum(payload)}
	}
	k := c.get(headerSize + len(payload))
	k.b = append(k.b[:headerSize], payload...)
	return parcel{own: k, checksum: checksum(payload)}
}

// size returns how many bytes the frame will have.
func (p *parcel) size() int {
	if p.own != nil {
		return len(p.own.b)
	}
	return headerSize + len(p.small)
}

// seal completes a header.
func (p *parcel) seal(h *header) {
	h.length, h.compressed, h.checksum = p.size()-headerSize, p.compressed, p.checksum
}

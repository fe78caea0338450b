package frame

import "encoding/binary"

// A Writer lays out frames for a connection, as many as there are to be sent at once: one after another in versions 3 and 4
// and during the handshake, in segments after the handshake of version 5. It compresses what has been agreed upon and what
// gets shorter by it. Several frames share a segment; a frame that is too long for one gets segments of its own.
//
// A Writer is not safe for concurrent use.
type Writer struct {
	compression Compression
	segmented   bool

	out   []byte
	open  int    // where the segment begins in out that takes more frames; out[open:] is its header, still empty, and its payload
	large []byte // a frame that does not fit into the open segment, on its way to others
}

// Negotiate ends the handshake: frames added from now on are in segments if v is 5 or newer, and compressed by c. A server
// calls it when it has added READY or AUTHENTICATE, a client when it has received one of them.
func (w *Writer) Negotiate(v Version, c Compression) {
	w.compression, w.segmented = c, v >= V5
	w.open = len(w.out)
}

// Add adds a frame with one message; prologue may be nil. If the message cannot be encoded it returns an EncodeError and
// adds nothing.
func (w *Writer) Add(v Version, stream int16, prologue *Prologue, message Message) error {
	start := w.begin()
	out, err := AppendFrame(w.out, v, stream, prologue, message)
	w.out = out
	if err != nil {
		return err
	}
	w.end(start)
	return nil
}

// AddFrame adds a frame that AppendFrame has made elsewhere.
func (w *Writer) AddFrame(frame []byte) {
	start := w.begin()
	w.out = append(w.out, frame...)
	w.end(start)
}

// Bytes returns everything to be sent. It is valid until the Writer is used again.
func (w *Writer) Bytes() []byte {
	if w.segmented {
		w.close(true)
	}
	return w.out
}

// Len returns about how many bytes there are to be sent: exact without segments, before compression with them.
func (w *Writer) Len() int { return len(w.out) }

// Reset forgets everything that was added. It keeps memory of which a good part was needed.
func (w *Writer) Reset() {
	used := len(w.out)
	w.open, w.out = 0, w.out[:0]
	w.trim(max(retained, 4*used))
}

// Trim gives memory back that the Writer does not need at the moment. It suits connections that have fallen silent.
func (w *Writer) Trim() { w.trim(0) }

func (w *Writer) trim(least int) {
	w.large = nil
	if len(w.out) == 0 && cap(w.out) > least {
		w.out = nil
	}
}

// begin makes out ready for a frame and returns where it will begin.
func (w *Writer) begin() int {
	if w.segmented && w.open == len(w.out) {
		w.startSegment()
	}
	return len(w.out)
}

func (w *Writer) startSegment() {
	var header [8]byte
	w.out = append(w.out, header[:segmentHeaderSize(w.compression)]...)
}

// end finishes the frame at the end of out, which begins at start.
func (w *Writer) end(start int) {
	if !w.segmented {
		w.compressBody(start)
		return
	}
	payload := w.open + segmentHeaderSize(w.compression)
	if len(w.out)-payload <= maxPayload {
		return
	}
	w.large = append(w.large[:0], w.out[start:]...)
	w.out = w.out[:start]
	w.close(true)
	for rest := w.large; len(rest) > 0; {
		w.startSegment()
		part := rest[:min(len(rest), maxPayload)]
		rest = rest[len(part):]
		w.out = append(w.out, part...)
		if len(w.large) > maxPayload {
			w.close(false)
		} // otherwise the frame fits into a segment, which takes more
	}
	if cap(w.large) > retained {
		w.large = nil
	}
}

// close finishes the segment at the end of out, if there is one. A segment without payload is taken back.
func (w *Writer) close(selfContained bool) {
	size := segmentHeaderSize(w.compression)
	start := w.open + size
	if len(w.out) <= start {
		w.out = w.out[:w.open]
		return
	}
	h := segmentHeader{selfContained: selfContained}
	if w.compression == LZ4 {
		h.plain = w.compressPayload(start)
	}
	h.length = len(w.out) - start
	putSegmentHeader(w.out[w.open:], h, w.compression)
	w.out = binary.LittleEndian.AppendUint32(w.out, payloadCRC(w.out[start:]))
	w.open = len(w.out)
}

// compressPayload compresses everything from start on if it gets shorter, and returns its length before; otherwise 0. The
// compressed form is made behind the plain one and then moved over it.
func (w *Writer) compressPayload(start int) int {
	plain := len(w.out) - start
	if plain < leastCompressed {
		return 0
	}
	out := appendLZ4(w.out, w.out[start:])
	w.out = out[:len(w.out)]
	compressed := out[start+plain:]
	if len(compressed) >= plain {
		return 0
	}
	w.out = append(w.out[:start], compressed...)
	return plain
}

// compressBody compresses the body of the frame at start if it gets shorter. STARTUP and what comes before must never be compressed;
// but then no compression has been agreed upon.
func (w *Writer) compressBody(start int) {
	body := start + HeaderSize
	plain := len(w.out) - body
	if w.compression == NoCompression || plain < leastCompressed {
		return
	}
	out := appendCompressedBody(w.out, w.out[body:], w.compression)
	w.out = out[:len(w.out)]
	compressed := out[body+plain:]
	if len(compressed) >= plain {
		return
	}
	w.out = append(w.out[:body], compressed...)
	w.out[start+1] |= byte(FlagCompressed)
	binary.BigEndian.PutUint32(w.out[start+5:], uint32(len(compressed)))
}

package hint

import (
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/iliumdb/ilium/ring"
)

const (
	headerSize    = 64
	headerSummed  = 44 // bytes in front of the header's checksum
	positionAt    = 48
	magic         = "ILHINTS\n"
	formatVersion = 1

	recordSize   = 28 // without the body
	recordSummed = 20 // bytes in front of a record's checksums
	sealBit      = 1 << 31
	sealSize     = recordSize + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// An identity is what a file's name says.
type identity struct {
	host  ring.HostID
	stamp int64 // milliseconds
	seq   uint64
}

// append appends the identity as the header has it.
func (id identity) append(dst []byte) []byte {
	dst = append(dst, id.host[:]...)
	dst = binary.BigEndian.AppendUint64(dst, uint64(id.stamp))
	return binary.BigEndian.AppendUint64(dst, id.seq)
}

// seed is what the checksums in the file begin with.
func (id identity) seed() uint32 { return crc32.Checksum(id.append(nil), castagnoli) }

// header returns the beginning of the file, with the replay at its beginning.
func (id identity) header() []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = id.append(binary.BigEndian.AppendUint32(b, formatVersion))
	b = binary.BigEndian.AppendUint32(b, headerSum(b))
	b = appendPosition(b, id.seed(), headerSize)
	return append(b, make([]byte, headerSize-len(b))...)
}

func headerSum(b []byte) uint32 { return crc32.Checksum(b[:headerSummed], castagnoli) }

// readHeader returns the version that the header says, or 0 if it is damaged.
func (id identity) readHeader(b []byte) uint32 {
	if len(b) < headerSize || string(b[:8]) != magic ||
		headerSum(b) != binary.BigEndian.Uint32(b[headerSummed:]) {
		return 0
	}
	if string(b[12:headerSummed]) != string(id.append(nil)) {
		return 0 // another file, under a wrong name
	}
	return binary.BigEndian.Uint32(b[8:])
}

func appendPosition(dst []byte, seed uint32, position int64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(position))
	return binary.BigEndian.AppendUint32(dst, crc32.Update(seed, castagnoli, dst[len(dst)-8:]))
}

// readPosition returns where the replay of a file of that size goes on: at its beginning if the
// header does not say, because a hint may be replayed twice.
func readPosition(header []byte, seed uint32, size int64) int64 {
	if len(header) < headerSize {
		return headerSize
	}
	b := header[positionAt:]
	position := int64(binary.BigEndian.Uint64(b))
	if crc32.Update(seed, castagnoli, b[:8]) != binary.BigEndian.Uint32(b[8:]) || position < headerSize || position > size {
		return headerSize
	}
	return position
}

// A record is one hint, or the seal.
type record struct {
	at               int64 // position in the file
	created, expires int64
	seal             bool
	body             []byte // valid until the next one is read
}

// end returns the position behind the record.
func (r *record) end() int64 { return r.at + recordSize + int64(len(r.body)) }

// appendRecord appends a record whose checksums are still missing, because its place is not known.
func appendRecord(dst []byte, created, expires int64, body []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	dst = binary.BigEndian.AppendUint64(dst, uint64(created))
	dst = binary.BigEndian.AppendUint64(dst, uint64(expires))
	dst = append(dst, make([]byte, recordSize-recordSummed)...)
	return append(dst, body...)
}

// finish adds the checksums to the record at the beginning of b, which will be at a position of the
// file, and returns its size.
func finish(b []byte, seed uint32, at int64) int {
	size := recordSize + int(binary.BigEndian.Uint32(b)&^uint32(sealBit))
	head := headSum(b, seed, at)
	binary.BigEndian.PutUint32(b[recordSummed:], head)
	binary.BigEndian.PutUint32(b[recordSummed+4:], crc32.Update(head, castagnoli, b[recordSize:size]))
	return size
}

// headSum returns the checksum of the head of a record, which depends on its place.
func headSum(b []byte, seed uint32, at int64) uint32 {
	return crc32.Update(seed^uint32(at)^uint32(at>>32), castagnoli, b[:recordSummed])
}

// makeSeal returns the last record of a file.
func makeSeal(seed uint32, at, newest, expires int64, count uint64) []byte {
	b := appendRecord(nil, newest, expires, binary.BigEndian.AppendUint64(nil, count))
	b[0] |= sealBit >> 24
	finish(b, seed, at)
	return b
}

// A reader yields the intact records of a file. Any bytes are safe.
type reader struct {
	file    io.ReaderAt
	seed    uint32
	at, end int64 // what is left

	damaged int // runs of bytes that are no record
	window  []byte
	start   int64 // position of the window
}

const readAhead = 64 << 10

// next returns the next intact record, or io.EOF. Other errors are the file's.
func (r *reader) next() (record, error) {
	start := r.at
	for ; r.end-r.at >= recordSize; r.at++ { // a length that is damaged does not say where the next one is
		rec, ok, err := r.try()
		if err != nil {
			return record{}, err
		}
		if ok {
			if r.at > start {
				r.damaged++
			}
			r.at = rec.end()
			return rec, nil
		}
	}
	if start < r.end {
		r.damaged++
	}
	r.at = max(r.at, r.end)
	return record{}, io.EOF
}

// try reads the record at r.at, and reports whether it is one.
func (r *reader) try() (rec record, ok bool, err error) {
	b, err := r.bytes(recordSize)
	if err != nil {
		return rec, false, err
	}
	word := binary.BigEndian.Uint32(b)
	size := int64(word &^ uint32(sealBit))
	head, body := binary.BigEndian.Uint32(b[recordSummed:]), binary.BigEndian.Uint32(b[recordSummed+4:])
	if head != headSum(b, r.seed, r.at) || size > r.end-r.at-recordSize {
		return rec, false, nil
	}
	if b, err = r.bytes(recordSize + int(size)); err != nil {
		return rec, false, err
	}
	rec = record{
		at: r.at, created: int64(binary.BigEndian.Uint64(b[4:])), expires: int64(binary.BigEndian.Uint64(b[12:])),
		seal: word&sealBit != 0, body: b[recordSize:],
	}
	return rec, crc32.Update(head, castagnoli, rec.body) == body, nil
}

// bytes returns n bytes at r.at, which must not reach behind r.end.
func (r *reader) bytes(n int) ([]byte, error) {
	if from := r.at - r.start; from >= 0 && from+int64(n) <= int64(len(r.window)) {
		return r.window[from : from+int64(n)], nil
	}
	size := int(min(max(int64(n), readAhead), r.end-r.at))
	if cap(r.window) < size {
		r.window = make([]byte, size)
	}
	r.window = r.window[:size]
	if _, err := r.file.ReadAt(r.window, r.at); err != nil {
		r.window = r.window[:0]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the file is shorter than it was
		}
		return nil, err
	}
	r.start = r.at
	return r.window[:n], nil
}

package peer

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/iliumdb/ilium/ring"
)

// The versions of the protocol that this package speaks.
const (
	minVersion = 1
	maxVersion = 1
)

const (
	magic = "ILPR"
	// greetingMax is how many bytes follow magic and length at most.
	greetingMax = 900
	// maxCluster is how long a cluster's name may be.
	maxCluster = 255
	// maxReason is how long the reason of a refusal may be.
	maxReason = 400
)

// A class says what a connection is for.
type class uint8

const (
	classRequests class = iota + 1
	classBulk
	classStream
)

// A refusal says why a connection is refused.
type refusal uint8

const (
	accepted refusal = iota
	refusedVersion
	refusedCluster
	refusedIdentity
	refusedClass
)

// flagCompression is set if a side wants to compress.
const flagCompression = 1

// A hello is what the dialler says first.
type hello struct {
	min, max byte // versions
	class    class
	compress bool
	self     ring.HostID
	want     ring.HostID // who is looked for; zero: any
	cluster  string
}

// A welcome answers a hello. Version is 0 if the connection is refused.
type welcome struct {
	version  byte
	refusal  refusal
	compress bool
	self     ring.HostID
	cluster  string
	reason   string // of the refusal
}

// Both messages are: magic, uint16 length of what follows, a body and its CRC32C. The body of a hello begins with the versions, so that
// any version of this package can tell another one that they have none in common.

func (m *hello) append(dst []byte) []byte {
	b := append(make([]byte, 0, 64+len(m.cluster)), m.min, m.max, byte(m.class), flags(m.compress))
	b = append(append(b, m.self[:]...), m.want[:]...)
	b = append(append(b, byte(len(m.cluster))), m.cluster...)
	return appendGreeting(dst, b)
}

func (m *welcome) append(dst []byte) []byte {
	b := append(make([]byte, 0, 64+len(m.cluster)+len(m.reason)), m.version, byte(m.refusal), flags(m.compress))
	b = append(b, m.self[:]...)
	b = append(append(b, byte(len(m.cluster))), m.cluster...)
	reason := m.reason[:min(len(m.reason), maxReason)]
	b = append(binary.LittleEndian.AppendUint16(b, uint16(len(reason))), reason...)
	return appendGreeting(dst, b)
}

func flags(compress bool) byte {
	if compress {
		return flagCompression
	}
	return 0
}

func appendGreeting(dst, body []byte) []byte {
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(body)+4))
	dst = append(dst, body...)
	return binary.LittleEndian.AppendUint32(dst, checksum(body))
}

// readGreeting reads one of the messages and returns its body. The error is a string to be told, or one of the connection.
func readGreeting(r io.Reader) ([]byte, error) {
	var start [len(magic) + 2]byte
	if _, err := io.ReadFull(r, start[:1]); err != nil {
		return nil, err
	}
	if start[0] != magic[0] {
		if start[0] == 0x15 || start[0] == 0x16 { // an alert, or a handshake
			return nil, greetingError("the other side speaks TLS, and this one does not")
		}
		return nil, greetingError("the other side is no node of this database")
	}
	if _, err := io.ReadFull(r, start[1:]); err != nil {
		return nil, err
	}
	if string(start[:len(magic)]) != magic {
		return nil, greetingError("the other side is no node of this database")
	}
	n := int(binary.LittleEndian.Uint16(start[len(magic):]))
	if n < 6 || n > greetingMax {
		return nil, greetingError("the other side's first message is broken")
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	body := b[:n-4]
	if binary.LittleEndian.Uint32(b[n-4:]) != checksum(body) {
		return nil, greetingError("the other side's first message is damaged")
	}
	return body, nil
}

// A greetingError says what is wrong with a first message.
type greetingError string

func (e greetingError) Error() string { return string(e) }

// parse reads the body of a hello. If no version fits, only the versions are set.
func (m *hello) parse(b []byte) error {
	if len(b) < 2 {
		return greetingError("the other side's first message is too short")
	}
	*m = hello{min: b[0], max: b[1]}
	if !m.fits() {
		return nil
	}
	r := fields{b: b[2:]}
	m.class, m.compress = class(r.byte()), r.byte()&flagCompression != 0
	m.self, m.want = r.id(), r.id()
	m.cluster = r.text(int(r.byte()))
	return r.end()
}

// fits reports whether there is a version that both sides speak.
func (m *hello) fits() bool { return m.min <= m.max && m.min <= maxVersion && m.max >= minVersion }

func (m *welcome) parse(b []byte) error {
	r := fields{b: b}
	*m = welcome{version: r.byte(), refusal: refusal(r.byte()), compress: r.byte()&flagCompression != 0, self: r.id()}
	m.cluster = r.text(int(r.byte()))
	m.reason = r.text(int(r.uint16()))
	if err := r.end(); err != nil {
		return err
	}
	if m.refusal == accepted && (m.version < minVersion || m.version > maxVersion) {
		return greetingError(fmt.Sprintf("the other side has chosen version %d of the protocol, which it was not offered", m.version))
	}
	return nil
}

// fields takes a message apart. What is missing is zero, and end reports it.
type fields struct {
	b      []byte
	broken bool
}

func (r *fields) take(n int) []byte {
	if n > len(r.b) {
		r.broken, r.b = true, nil
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *fields) byte() byte          { return r.take(1)[0] }
func (r *fields) uint16() uint16      { return binary.LittleEndian.Uint16(r.take(2)) }
func (r *fields) id() (h ring.HostID) { copy(h[:], r.take(len(h))); return h }

func (r *fields) text(n int) string {
	b := r.take(n)
	if !utf8.Valid(b) {
		r.broken = true
	}
	return string(b)
}

func (r *fields) end() error {
	if r.broken || len(r.b) > 0 {
		return greetingError("the other side's first message is broken")
	}
	return nil
}

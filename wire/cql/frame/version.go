package frame

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A Version of the native protocol. The zero Version is none.
type Version uint8

// The versions that this package speaks.
const (
	V3 Version = 3
	V4 Version = 4
	V5 Version = 5

	// MaxVersion is the newest of them.
	MaxVersion = V5
)

// Supported reports whether this package speaks v.
func (v Version) Supported() bool { return v >= V3 && v <= MaxVersion }

// String returns the number and the name of v, such as "5/v5", the form that SUPPORTED prescribes.
func (v Version) String() string { return fmt.Sprintf("%d/v%d", uint8(v), uint8(v)) }

// SupportedVersions returns the names of the supported versions, the oldest first. It is what belongs under
// PROTOCOL_VERSIONS in a SUPPORTED message.
func SupportedVersions() []string {
	var names []string
	for v := V3; v <= MaxVersion; v++ {
		names = append(names, v.String())
	}
	return names
}

// VersionError reports a frame of a version that this package does not speak. Nothing that follows such a frame can be
// read. A server sends what AppendReply returns and closes the connection: by the wording drivers recognize that they
// have to step down, and they look into the reply's header for the version to step down to.
type VersionError struct {
	Version uint8 // the number the frame has, without the direction
	Stream  int16 // the stream it came on
}

// Error returns Cassandra's wording, which drivers search for.
func (e *VersionError) Error() string {
	return fmt.Sprintf("Invalid or unsupported protocol version (%d); supported versions are (%s)",
		e.Version, strings.Join(SupportedVersions(), ", "))
}

// AppendReply appends the frame that answers a request of an unsupported version: an ERROR of the newest supported
// version. Requests of versions 1 and 2, whose headers are shorter, are answered in their own version, as Cassandra
// does: their clients would not even find the end of another frame.
func (e *VersionError) AppendReply(dst []byte) []byte {
	refusal := Error{Code: ErrorProtocol, Message: e.Error()}
	if e.Version != 1 && e.Version != 2 {
		dst, _ = AppendFrame(dst, MaxVersion, e.Stream, nil, &refusal) // cannot fail: the message is short
		return dst
	}
	start := len(dst)
	dst = append(dst, directionBit|e.Version, 0, byte(e.Stream), byte(OpError), 0, 0, 0, 0)
	dst, _ = refusal.Encode(dst, V3)
	binary.BigEndian.PutUint32(dst[start+4:], uint32(len(dst)-start-oldHeaderSize))
	return dst
}

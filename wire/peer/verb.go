package peer

import (
	"context"
	"net"
	"time"

	"github.com/iliumdb/ilium/ring"
)

// A Verb says what a request asks for. Verbs from 128 on move much data, and have connections of their own.
type Verb uint8

// The verbs.
const (
	VerbPing        Verb = 1  // answers nothing
	VerbMutate      Verb = 2  // carry out mutations
	VerbRead        Verb = 3  // rows, or a digest of them
	VerbHint        Verb = 4  // mutations that were missed
	VerbBatchStore  Verb = 5  // keep a logged batch until it is complete
	VerbBatchRemove Verb = 6  // it is
	VerbPrepare     Verb = 7  // promise a ballot of a conditional change, and read
	VerbAccept      Verb = 8  // accept the change of a ballot
	VerbCommit      Verb = 9  // make it
	VerbRaft        Verb = 10 // the metadata log's consensus
	VerbPropose     Verb = 11 // an entry for the metadata log
	VerbApplied     Verb = 12 // answers when the metadata log is applied up to an index
	VerbMembership  Verb = 20 // operators' requests about joining and leaving
	VerbTraced      Verb = 32 // another request, with a trace of what is done beside the answer
	VerbKeepHint    Verb = 33 // a hint of a node that leaves, to be kept for another one
	VerbPull        Verb = 128
	VerbSnapshot    Verb = 129 // of the metadata log
)

// Bulk reports whether the verb moves much data.
func (v Verb) Bulk() bool { return v >= 128 }

// governs reports whether the verb is one by which the cluster governs itself.
func (v Verb) governs() bool { return v >= VerbRaft && v <= VerbMembership }

// A Request is what a node asks of another one.
type Request struct {
	From     ring.HostID
	Verb     Verb
	Deadline time.Time // when nobody waits for the answer anymore
	Body     []byte    // valid until the handler returns
	Memory   []byte    // room for the answer, which may be appended to Memory[:0]
}

// A Handler carries out requests of one verb and returns the answer. It is called concurrently. An error
// reaches whoever has asked as a *Failure.
type Handler func(ctx context.Context, r *Request) (answer []byte, err error)

// Sockets are how a node reaches the network: that of the operating system or, in tests, a simulated one.
// Addresses are host:port.
type Sockets interface {
	Listen(ctx context.Context, address string) (net.Listener, error)
	ListenPacket(ctx context.Context, address string) (net.PacketConn, error)
	Dial(ctx context.Context, address string) (net.Conn, error)
}

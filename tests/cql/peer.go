package cql

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// Opcodes of native protocol version 5 (its section 2.4).
const (
	opError    = 0x00
	opStartup  = 0x01
	opReady    = 0x02
	opQuery    = 0x07
	opResult   = 0x08
	opPrepare  = 0x09
	opExecute  = 0x0a
	version    = 5
	headerSize = 9
)

// Peer is a connection to a database that speaks version 5 of the native protocol, such as Cassandra. It sends one
// request at a time and changes nothing that a driver would: no retries, no preparation unless asked for.
type Peer struct {
	conn   net.Conn
	frames io.Reader
	framed bool // the handshake is done
}

// Dial connects to the database at address, which must not ask for a password.
func Dial(ctx context.Context, address string) (*Peer, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewReader(conn)
	p := &Peer{conn: conn, frames: buffered}
	var body writer
	body.short(1)
	body.string("CQL_VERSION")
	body.string("3.0.0")
	opcode, _, err := p.call(ctx, opStartup, body.b)
	if err == nil && opcode != opReady {
		err = fmt.Errorf("answer to STARTUP has opcode %#x", opcode)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	p.frames, p.framed = &segmentReader{r: buffered}, true
	return p, nil
}

// Close closes the connection.
func (p *Peer) Close() error { return p.conn.Close() }

// answerTimeout is how long a request may take if the context does not say less.
const answerTimeout = time.Minute

// call sends one request and returns the answer.
func (p *Peer) call(ctx context.Context, opcode byte, body []byte) (byte, *reader, error) {
	deadline := time.Now().Add(answerTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := p.conn.SetDeadline(deadline); err != nil {
		return 0, nil, err
	}
	frame := []byte{version, 0, 0, 0, opcode}
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(body)))
	frame = append(frame, body...)
	if p.framed {
		frame = appendSegments(nil, frame)
	}
	if _, err := p.conn.Write(frame); err != nil {
		return 0, nil, err
	}
	var header [headerSize]byte
	if _, err := io.ReadFull(p.frames, header[:]); err != nil {
		return 0, nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(header[5:]))
	if _, err := io.ReadFull(p.frames, answer); err != nil {
		return 0, nil, err
	}
	r := &reader{b: answer}
	r.prologue(header[1])
	if header[4] == opError {
		refused := r.refusal()
		if r.err != nil {
			return 0, nil, r.err
		}
		return 0, nil, refused
	}
	return header[4], r, r.err
}

// Exec implements Target.
func (p *Peer) Exec(ctx context.Context, s Statement) (Result, error) {
	var prepared prepared
	var body writer
	opcode := byte(opQuery)
	if s.Prepare {
		var err error
		if prepared, err = p.prepare(ctx, s.Text); err != nil {
			return Result{}, err
		}
		opcode = opExecute
		body.shortBytes(prepared.id)
		body.shortBytes(prepared.resultID)
	} else {
		body.longString(s.Text)
	}
	bound, err := Bind(prepared.markers, s.Values)
	if err != nil {
		return Result{}, err
	}
	if err := body.parameters(s, bound); err != nil {
		return Result{}, err
	}
	got, r, err := p.call(ctx, opcode, body.b)
	if err != nil {
		return Result{}, err
	}
	if got != opResult {
		return Result{}, fmt.Errorf("answer has opcode %#x", got)
	}
	result, err := r.result()
	result.Markers, result.PartitionKey = prepared.markers, prepared.partitionKey
	return result, err
}

// prepared is a prepared statement.
type prepared struct {
	id, resultID []byte
	markers      []Column
	partitionKey []int
}

func (p *Peer) prepare(ctx context.Context, text string) (prepared, error) {
	var body writer
	body.longString(text)
	body.int(0)
	_, r, err := p.call(ctx, opPrepare, body.b)
	if refused, ok := errors.AsType[*Error](err); ok {
		refused.Preparing = true
	}
	if err != nil {
		return prepared{}, err
	}
	return r.prepared()
}

// Flags of the parameters of a request (section 4.1.4).
const (
	flagValues      = 0x01
	flagPageSize    = 0x04
	flagPagingState = 0x08
	flagSerial      = 0x10
	flagTimestamp   = 0x20
	flagNow         = 0x100
)

// writer builds the body of a request.
type writer struct {
	b []byte
}

func (w *writer) short(n uint16)          { w.b = binary.BigEndian.AppendUint16(w.b, n) }
func (w *writer) int(n uint32)            { w.b = binary.BigEndian.AppendUint32(w.b, n) }
func (w *writer) long(n int64)            { w.b = binary.BigEndian.AppendUint64(w.b, uint64(n)) }
func (w *writer) string(s string)         { w.short(uint16(len(s))); w.b = append(w.b, s...) }
func (w *writer) longString(s string)     { w.int(uint32(len(s))); w.b = append(w.b, s...) }
func (w *writer) shortBytes(b []byte)     { w.string(string(b)) }
func (w *writer) bytes(b []byte)          { w.longString(string(b)) }
func (w *writer) negativeLength(n uint32) { w.int(-n) }

func (w *writer) parameters(s Statement, bound []Bound) error {
	level, ok := levelOf(s.Consistency)
	if !ok {
		return fmt.Errorf("unknown consistency level %q", s.Consistency)
	}
	w.short(uint16(level))
	var flags uint32
	set := func(flag uint32, wanted bool) {
		if wanted {
			flags |= flag
		}
	}
	set(flagValues, len(bound) > 0)
	set(flagPageSize, s.PageSize > 0)
	set(flagPagingState, s.PagingState != nil)
	set(flagSerial, s.Serial != "")
	set(flagTimestamp, s.Timestamp != nil)
	set(flagNow, s.Now != 0)
	w.int(flags)
	if len(bound) > 0 {
		w.short(uint16(len(bound)))
	}
	for _, v := range bound {
		switch {
		case v.Unset:
			w.negativeLength(2)
		case v.Bytes == nil:
			w.negativeLength(1)
		default:
			w.bytes(v.Bytes)
		}
	}
	if s.PageSize > 0 {
		w.int(uint32(s.PageSize))
	}
	if s.PagingState != nil {
		w.bytes(s.PagingState)
	}
	if s.Serial != "" {
		serial, ok := levelOf(s.Serial)
		if !ok {
			return fmt.Errorf("unknown consistency level %q", s.Serial)
		}
		w.short(uint16(serial))
	}
	if s.Timestamp != nil {
		w.long(*s.Timestamp)
	}
	if s.Now != 0 {
		w.int(uint32(s.Now))
	}
	return nil
}

// levelOf returns the consistency level of that name.
func levelOf(name string) (consistency.Level, bool) {
	for level := range consistency.NodeLocal + 1 {
		if level.String() == name {
			return level, true
		}
	}
	return 0, false
}

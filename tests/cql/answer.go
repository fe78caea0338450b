package cql

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// reader takes the body of an answer apart. After an error all its methods return zero values.
type reader struct {
	b        []byte
	warnings []string
	err      error
}

var errShort = errors.New("answer ends too early")

func (r *reader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) short() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int() int {
	if b := r.take(4); b != nil {
		return int(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (r *reader) string() string     { return string(r.take(r.short())) }
func (r *reader) shortBytes() []byte { return r.take(r.short()) }

// bytes returns nil for null, and for zero bytes a slice that is not nil.
func (r *reader) bytes() []byte {
	n := r.int()
	if n < 0 {
		return nil
	}
	return r.take(n)
}

// count reads a number of things that take at least one byte each.
func (r *reader) count(n int) int {
	if n < 0 || n > len(r.b) {
		r.err = errShort
		return 0
	}
	return n
}

// prologue reads what the flags of a frame announce before its body proper.
func (r *reader) prologue(flags byte) {
	if flags&0x02 != 0 { // the id of a trace
		r.take(16)
	}
	if flags&0x08 != 0 {
		for range r.short() {
			r.warnings = append(r.warnings, r.string())
		}
	}
	if flags&0x04 != 0 { // custom payload
		for range r.short() {
			r.string()
			r.bytes()
		}
	}
}

// errorKinds names the error codes (section 8).
var errorKinds = map[int]string{
	0x0000: "server", 0x000a: "protocol", 0x0100: "bad_credentials", 0x1000: "unavailable", 0x1001: "overloaded",
	0x1002: "bootstrapping", 0x1003: "truncate", 0x1100: "write_timeout", 0x1200: "read_timeout",
	0x1300: "read_failure", 0x1400: "function_failure", 0x1500: "write_failure", 0x2000: "syntax",
	0x2100: "unauthorized", 0x2200: "invalid", 0x2300: "configuration", 0x2400: "already_exists", 0x2500: "unprepared",
}

// refusal reads the body of an ERROR.
func (r *reader) refusal() *Error {
	code := r.int()
	e := &Error{Kind: errorKinds[code], Message: r.string()}
	switch e.Kind {
	case "":
		e.Kind = fmt.Sprintf("%#04x", code)
	case "unavailable":
		level := consistency.Level(r.short())
		e.Details = fmt.Sprintf("%s, required %d, alive %d", level, r.int(), r.int())
	case "already_exists":
		e.Details = fmt.Sprintf("%s.%s", r.string(), r.string())
	}
	return e
}

// result reads the body of a RESULT.
func (r *reader) result() (Result, error) {
	result := Result{Warnings: r.warnings}
	const rows = 2
	if r.int() != rows {
		return result, r.err
	}
	columns, pagingState := r.metadata(nil)
	result.Columns, result.PagingState = columns, pagingState
	if result.Columns == nil {
		result.Columns = []Column{}
	}
	for range r.count(r.int()) {
		row := make([][]byte, len(columns))
		for i := range row {
			row[i] = r.bytes()
		}
		result.Rows = append(result.Rows, row)
	}
	return result, r.err
}

// prepared reads the body of a RESULT that answers a PREPARE.
func (r *reader) prepared() (prepared, error) {
	const kind = 4
	if r.int() != kind {
		return prepared{}, errors.New("PREPARE was not answered by Prepared")
	}
	p := prepared{id: r.shortBytes(), resultID: r.shortBytes()}
	p.markers, _ = r.metadata(&p.partitionKey)
	return p, r.err
}

// metadata reads names and types of columns; that of bind markers includes a partitionKey.
func (r *reader) metadata(partitionKey *[]int) (columns []Column, pagingState []byte) {
	flags, n := r.int(), r.count(r.int())
	if partitionKey != nil {
		for range r.count(r.int()) {
			*partitionKey = append(*partitionKey, r.short())
		}
	}
	if flags&0x02 != 0 { // more pages
		pagingState = r.bytes()
	}
	if flags&0x08 != 0 { // the metadata has changed since the statement was prepared
		r.shortBytes()
	}
	global := flags&0x01 != 0
	if flags&0x04 != 0 {
		r.err = errors.New("answer has no metadata")
	}
	if global && n > 0 {
		r.string()
		r.string()
	}
	for range n {
		if !global {
			r.string()
			r.string()
		}
		columns = append(columns, Column{Name: r.string(), Type: r.dataType()})
		if r.err != nil {
			return nil, nil
		}
	}
	return columns, pagingState
}

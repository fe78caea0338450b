package query

import (
	"encoding/binary"
	"strings"

	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Result is what a statement answers.
type Result struct {
	Kind     ResultKind
	Rows     *Rows           // for RowsResult
	Keyspace string          // for SetKeyspace
	Event    *metadata.Event // for SchemaChange
	Warnings []string
}

// A ResultKind says what a Result holds.
type ResultKind uint8

// The kinds of results, as the native protocol tells them apart.
const (
	Void ResultKind = iota + 1
	RowsResult
	SetKeyspace
	SchemaChange
)

// Rows are one page of rows.
type Rows struct {
	Columns []plan.Spec
	Count   int
	// Data holds the values, row by row, each as the native protocol sends it: its length as a
	// signed 32-bit integer, negative for null, and its bytes.
	Data        []byte
	PagingState []byte // of the next page; nil if this is the last
}

// lengthSize is how many bytes the length of a value takes.
const lengthSize = 4

// beginValue makes room for the length of the value that is appended next, and returns where that is.
func (r *Rows) beginValue() (at int) {
	at = len(r.Data)
	r.Data = append(r.Data, 0, 0, 0, 0)
	return at
}

// endValue sets the length of what was appended since beginValue, or makes it null if ok is false.
func (r *Rows) endValue(at int, ok bool) {
	start := at + lengthSize
	length := uint32(len(r.Data) - start)
	if !ok {
		r.Data, length = r.Data[:start], ^uint32(0)
	}
	binary.BigEndian.PutUint32(r.Data[at:], length)
}

// explain returns the lines of a plan as rows.
func explain(p *plan.Explain) *Result {
	rows := &Rows{Columns: []plan.Spec{{Name: "plan", Type: cqltype.TypeText}}}
	for _, line := range strings.Split(p.String(), "\n") {
		rows.addText(line)
		rows.Count++
	}
	return &Result{Kind: RowsResult, Rows: rows}
}

package query

import (
	"encoding/binary"
	"slices"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// describe carries out DESCRIBE and returns one page of its rows.
func (e *Executor) describe(p *plan.Describe, parameters *Parameters) (*Result, error) {
	rows := &Rows{Columns: p.Columns}
	if p.Statement.Kind == ast.DescribeCluster {
		return &Result{Kind: RowsResult, Rows: rows}, rows.addCluster(e.system.Cluster(), p)
	}
	s := e.log.Schema()
	list, err := e.system.Describe(s, p.Statement, p.Keyspace)
	if err != nil {
		return nil, err
	}
	version, err := e.system.Version(s)
	if err != nil {
		return nil, err
	}
	start, err := describedBefore(parameters.PagingState, version)
	if err != nil {
		return nil, err
	}
	list = list[min(start, len(list)):]
	if n := parameters.PageSize; n > 0 && len(list) > n {
		list = list[:n]
		rows.PagingState = binary.BigEndian.AppendUint32(slices.Clone(version[:]), uint32(start+n))
	}
	for _, d := range list {
		for _, text := range []string{d.Keyspace, d.Type, d.Name, d.Statement}[:len(p.Columns)] {
			rows.addText(text)
		}
		rows.Count++
	}
	return &Result{Kind: RowsResult, Rows: rows}, nil
}

// describedBefore returns how many rows the pages before held. A page does not go on in another schema.
func describedBefore(state []byte, version cqltype.UUID) (int, error) {
	switch {
	case len(state) == 0:
		return 0, nil
	case len(state) != len(version)+4:
		return 0, schema.Invalid("Invalid value for the paging state")
	case cqltype.UUID(state[:len(version)]) != version:
		return 0, schema.Invalid("The schema has changed since the previous page of the DESCRIBE statement result. Please retry the DESCRIBE statement.")
	}
	return int(binary.BigEndian.Uint32(state[len(version):])), nil
}

func (r *Rows) addCluster(c system.Cluster, p *plan.Describe) error {
	r.addText(c.Name)
	r.addText(c.Partitioner)
	r.addText(c.Snitch)
	r.Count = 1
	if !p.ShowsRing() {
		return nil
	}
	ranges, err := p.Columns[len(p.Columns)-1].Type.Encode(c.Ranges)
	if err != nil {
		return err
	}
	r.addText(string(ranges))
	return nil
}

// addText appends a value.
func (r *Rows) addText(text string) {
	at := r.beginValue()
	r.Data = append(r.Data, text...)
	r.endValue(at, true)
}

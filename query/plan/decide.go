package plan

import (
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// A Present yields the rows of a partition as they are when a Transaction is decided. *storage.Cursor is one, and its
// comments say what each method does.
type Present interface {
	Next() bool
	Clustering() []byte
	Row() *row.Fragment
	Static() *row.Fragment
	Err() error
}

// AppliedColumn is the name of the first column of a conditional statement's result: whether the conditions held.
const AppliedColumn = "[applied]"

// AppliedColumns describes the result if the conditions hold.
func (t *Transaction) AppliedColumns() []Spec {
	return []Spec{{Keyspace: t.Table.Keyspace, Table: t.Table.Name, Name: AppliedColumn, Type: cqltype.TypeBoolean}}
}

// RefusedColumns describes the result if the conditions do not hold: the rows that they are on.
func (t *Transaction) RefusedColumns() []Spec {
	out := t.AppliedColumns()
	for _, c := range t.shown {
		out = append(out, spec(t.Table, c))
	}
	return out
}

// Decide looks at the present rows, with a timestamp that the change is to have, and returns the change, nil if the
// conditions do not hold. It may be called again.
func (t *Transaction) Decide(rows Present, timestamp int64) (*row.Mutation, error) {
	if err := t.take(rows); err != nil {
		return nil, err
	}
	if !t.holds() {
		return nil, nil
	}
	t.source.Timestamp = timestamp
	w := &transactionWriter{transaction: t}
	for i := range t.steps {
		if err := t.steps[i].build(t, w); err != nil {
			return nil, err
		}
	}
	return &w.mutation, nil
}

// take copies the present rows.
func (t *Transaction) take(rows Present) error {
	t.present, t.header = t.present[:0], nil
	any := len(t.rows)+len(t.lists) == 0 // one is enough to know that there are some
	for rows.Next() {
		if t.header == nil {
			t.header = rows.Static().Clone()
		}
		if rows.Row() == nil {
			break
		}
		t.present = append(t.present, &presentRow{string(rows.Clustering()), rows.Row().Clone()})
		if any {
			break
		}
	}
	return rows.Err()
}

// find returns a present row, nil if there is none.
func (t *Transaction) find(clustering string) *row.Fragment {
	for _, p := range t.present {
		if p.key == clustering {
			return p.fragment
		}
	}
	return nil
}

// holds reports whether the conditions hold.
func (t *Transaction) holds() bool {
	r := Row{Now: t.source.Now, Static: t.header}
	if t.static != nil && !t.static.hold(&r, t.hasStatic()) {
		return false
	}
	for key, c := range t.rows {
		r.Regular = t.find(key)
		if !c.hold(&r, r.Regular != nil) {
			return false
		}
	}
	return true
}

func (c *rowConditions) hold(r *Row, exists bool) bool {
	if c.exists && !exists || c.notExists && exists {
		return false
	}
	for _, k := range c.checks {
		if !k.holds(r) {
			return false
		}
	}
	return true
}

// hasStatic reports whether a static column that was read has a value.
func (t *Transaction) hasStatic() bool {
	r := Row{Now: t.source.Now, Static: t.header}
	for _, c := range t.Table.Static {
		if t.read[c] && r.Value(c) != nil {
			return true
		}
	}
	return false
}

// Refused calls visit with each row that is returned if the conditions do not hold: those that there are conditions on;
// if there are none, the static cells; if there are only conditions on static cells, any row.
func (t *Transaction) Refused(visit func(*Row) error) error {
	r := Row{Now: t.source.Now, Static: t.header}
	var err error
	if r.Partition, err = cqltype.SplitPartitionKey(nil, t.Key, len(t.Table.Partition)); err != nil {
		return schema.Invalid("%s", err)
	}
	found := false
	for _, p := range t.present {
		if len(t.rows) > 0 && t.rows[p.key] == nil {
			continue // only an operation looks at it
		}
		if r.Clustering, err = t.splitClustering(p.key); err != nil {
			return err
		}
		found, r.Regular = true, p.fragment
		if err := visit(&r); err != nil {
			return err
		}
		if len(t.rows) == 0 {
			break
		}
	}
	if !found && t.hasStatic() {
		r.Clustering, r.Regular = nil, nil
		return visit(&r)
	}
	return nil
}

func (t *Transaction) splitClustering(key string) ([][]byte, error) {
	rest := []byte(key)
	out := make([][]byte, len(t.Table.Clustering))
	for i, c := range t.Table.Clustering {
		var err error
		if out[i], rest, err = c.Type.ReadKey(rest, c.Descending, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AppendRefused calls add with the value of each column of a row that Refused visits, nil for null.
func (t *Transaction) AppendRefused(r *Row, add func(value []byte)) {
	for _, c := range t.shown {
		if c.IsPrimaryKey() || t.read[c] {
			add(r.Value(c))
		} else {
			add(nil)
		}
	}
}

// build carries out a step.
func (s *Step) build(t *Transaction, writer Writer) error {
	m, b := s.Modify, s.Binding
	w, err := m.begin(b, t.source, writer)
	if err != nil {
		return err
	}
	w.partitionKey = t.Key
	if m.where != nil && m.whole && !s.named {
		return m.buildRanges(w, s.slices)
	}
	return m.buildRow(b, w, s.clustering, s.named)
}

// A transactionWriter gathers the changes of a Transaction. What is stored is what its conditions have seen.
type transactionWriter struct {
	transaction *Transaction
	mutation    row.Mutation
	begun       bool
}

// Mutation implements Writer.
func (w *transactionWriter) Mutation(_ *schema.Keyspace, t *schema.Table, partitionKey []byte) (*row.Mutation, error) {
	if !w.begun {
		w.mutation.Begin(t.Incarnation, int64(ring.TokenOf(partitionKey)), partitionKey)
		w.begun = true
	}
	return &w.mutation, nil
}

// Stored implements Writer.
func (w *transactionWriter) Stored(_ *schema.Table, _, clustering []byte, static bool) (*row.Fragment, error) {
	if static {
		return w.transaction.header, nil
	}
	return w.transaction.find(string(clustering)), nil
}

package plan

import (
	"bytes"
	"maps"
	"slices"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
)

// A Step is a modification of a Transaction with the values of its bind markers.
type Step struct {
	Modify  *Modify
	Binding *Binding

	named      bool   // a row, by clustering
	clustering []byte // in key encoding
	slices     []storage.Slice
}

// A Transaction is what conditional modifications look at and change: one of them, or those of a batch, some of which
// may have no conditions. All are about one partition.
type Transaction struct {
	Keyspace *schema.Keyspace
	Table    *schema.Table
	Key      []byte // of the partition, serialized

	steps  []Step
	batch  bool
	source *Source

	static *rowConditions            // on static cells, nil without
	rows   map[string]*rowConditions // by clustering key
	lists  map[string]bool           // the rows whose lists operations look at
	shown  []*schema.Column          // of the rows that are returned if the conditions do not hold
	read   map[*schema.Column]bool   // which of them are not left null

	present []*presentRow
	header  *row.Fragment
}

// rowConditions are those on one row, or on the static cells.
type rowConditions struct {
	exists, notExists bool
	checks            []*columnCheck
}

// A presentRow is a row at the time of the decision.
type presentRow struct {
	key      string // its clustering key
	fragment *row.Fragment
}

// NewTransaction evaluates keys and conditions of modifications. The values must stay unchanged while it is used.
func NewTransaction(steps []Step, batch bool, s *Source) (*Transaction, error) {
	first := steps[0].Modify
	t := &Transaction{Keyspace: first.Keyspace, Table: first.Table, steps: steps, batch: batch, source: s,
		rows: map[string]*rowConditions{}, lists: map[string]bool{}}
	s.Transaction = true
	for i := range steps {
		if err := t.locate(&steps[i], i == 0); err != nil {
			return nil, err
		}
		if err := t.addConditions(&steps[i]); err != nil {
			return nil, err
		}
	}
	t.choose()
	return t, nil
}

// locate finds out which partition and row a step is about.
func (t *Transaction) locate(s *Step, first bool) error {
	m, b := s.Modify, s.Binding
	w, err := m.begin(b, t.source, nil)
	if err != nil {
		return err
	}
	if m.where == nil {
		if err := m.insertKey(b, w); err != nil {
			return err
		}
		s.named, s.clustering = m.clustering != nil, bytes.Clone(w.clustering)
		return t.join(w.partitionKey, first)
	}
	keys, err := m.where.Partitions(b)
	if err != nil {
		return err
	}
	if err := t.refuseIn(m); err != nil {
		return err
	}
	if err := t.join(keys[0], first); err != nil || m.staticOnly() {
		return err
	}
	if !m.where.isPoint() {
		s.slices, err = m.where.Slices(b)
		return err
	}
	rows, err := m.where.Rows(b)
	if err == nil {
		s.named, s.clustering = true, rows[0]
	}
	return err
}

// join refuses a second partition.
func (t *Transaction) join(key []byte, first bool) error {
	switch {
	case len(key) == 0:
		return schema.Invalid("Key may not be empty")
	case first:
		t.Key = bytes.Clone(key)
	case !bytes.Equal(t.Key, key):
		return schema.Invalid("Batch with conditions cannot span multiple partitions")
	}
	return nil
}

func (t *Transaction) refuseIn(m *Modify) error {
	what := "updates"
	if m.where.kind == deleting {
		what = "deletions"
	}
	in := func(c *condition) bool { return c.op == opIn }
	switch {
	case slices.ContainsFunc(m.where.partition, in) && t.batch:
		return schema.Invalid("Batch with conditions cannot span multiple partitions (you cannot use IN on the partition key)")
	case slices.ContainsFunc(m.where.partition, in):
		return schema.Invalid("IN on the partition key is not supported with conditional %s", what)
	case slices.ContainsFunc(m.where.clustering, in):
		return schema.Invalid("IN on the clustering key columns is not supported with conditional %s", what)
	}
	return nil
}

// addConditions evaluates the conditions of a step.
func (t *Transaction) addConditions(s *Step) error {
	for _, o := range s.Modify.operations {
		if s.named && o.target().Kind != schema.Static && readsList(o) {
			t.lists[string(s.clustering)] = true
		}
	}
	c := s.Modify.conditions
	switch {
	case c == nil:
		return nil
	case c.exists || c.notExists:
		return t.on(s.named, s.clustering).addExistence(c)
	}
	if c.onRows() {
		if err := t.on(true, s.clustering).addChecks(c.regular, s.Binding); err != nil {
			return err
		}
	}
	if c.onStatic() {
		return t.on(false, nil).addChecks(c.static, s.Binding)
	}
	return nil
}

// on returns the conditions on a row, or on the static cells.
func (t *Transaction) on(named bool, clustering []byte) *rowConditions {
	if !named {
		if t.static == nil {
			t.static = &rowConditions{}
		}
		return t.static
	}
	c := t.rows[string(clustering)]
	if c == nil {
		c = &rowConditions{}
		t.rows[string(clustering)] = c
	}
	return c
}

func (r *rowConditions) addExistence(c *conditions) error {
	word := "EXISTS"
	if c.notExists {
		word = "NOT EXISTS"
	}
	if len(r.checks) > 0 {
		return schema.Invalid("Cannot mix IF conditions and IF %s for the same row", word)
	}
	r.exists, r.notExists = r.exists || c.exists, r.notExists || c.notExists
	if r.exists && r.notExists {
		return schema.Invalid("Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row")
	}
	return nil
}

func (r *rowConditions) addChecks(list []*columnCondition, b *Binding) error {
	if r.exists || r.notExists {
		return schema.Invalid("Cannot mix IF conditions and IF NOT EXISTS for the same row")
	}
	for _, c := range list {
		k, err := c.check(b)
		if err != nil {
			return err
		}
		r.checks = append(r.checks, k)
	}
	return nil
}

// readsList reports whether an operation depends on what a list holds.
func readsList(o operation) bool {
	switch o := o.(type) {
	case *discardValues:
		return true
	case *setElement:
		return o.column.Type.Kind() == cqltype.KindList
	}
	return false
}

// choose finds out which columns are returned, and which of them have their values: as in Cassandra those that the
// conditions are on, all static ones if one is written, and all others if a row is written.
func (t *Transaction) choose() {
	t.read = map[*schema.Column]bool{}
	var conditional []*schema.Column
	all := false
	for i := range t.steps {
		s := &t.steps[i]
		m := s.Modify
		if s.named || s.slices != nil {
			t.readAll(t.Table.Regular)
		}
		for _, o := range m.operations {
			if o.target().Kind == schema.Static {
				t.readAll(t.Table.Static)
			}
		}
		if m.conditions == nil {
			continue
		}
		columns := m.conditions.columns()
		all = all || columns == nil
		conditional = append(conditional, columns...)
	}
	t.readAll(conditional)
	if all {
		conditional = slices.Collect(t.Table.Columns())
	} else if t.batch {
		conditional = slices.Concat(t.Table.Partition, t.Table.Clustering, conditional)
	}
	for _, c := range conditional {
		if !slices.Contains(t.shown, c) {
			t.shown = append(t.shown, c)
		}
	}
}

func (t *Transaction) readAll(columns []*schema.Column) {
	for _, c := range columns {
		t.read[c] = true
	}
}

// Read returns what has to be read of the partition, but for Partition and Now: the rows that there are conditions on,
// or any one row.
func (t *Transaction) Read() *storage.Read {
	r := &storage.Read{Incarnation: t.Table.Incarnation, StaticOnly: true}
	if len(t.Table.Clustering) == 0 {
		return r
	}
	wanted := maps.Clone(t.lists)
	for key := range t.rows {
		wanted[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		r.Slices = append(r.Slices, storage.Slice{Start: []byte(key), End: cqltype.PrefixSuccessor(nil, []byte(key))})
	}
	return r
}

package plan

import (
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Modify writes to rows of one table: INSERT, UPDATE or DELETE.
type Modify struct {
	Keyspace *schema.Keyspace
	Table    *schema.Table

	kind       string // as printed
	where      *Where // UPDATE and DELETE
	partition  []Term // INSERT: values of the key columns
	clustering []Term // INSERT: nil if only static columns are written
	liveness   bool   // the row exists from now on, whatever its cells
	whole      bool   // DELETE of rows rather than of cells
	operations []operation
	timestamp  Term
	ttl        Term
	conditions *conditions // what follows IF; nil without it
	markers    []Spec
}

// IsConditional reports whether the plan writes only under conditions, in a Transaction.
func (m *Modify) IsConditional() bool { return m.conditions != nil }

// Markers describes the bind markers.
func (m *Modify) Markers() []Spec { return m.markers }

// A Batch writes to rows of several partitions at once.
type Batch struct {
	Statements []*Modify
	Unlogged   bool

	timestamp Term
	markers   []Spec
}

// Markers describes the bind markers of all statements.
func (b *Batch) Markers() []Spec { return b.markers }

// IsConditional reports whether the plan writes only under conditions, in a Transaction.
func (b *Batch) IsConditional() bool { return isConditional(b.Statements) }

// IsConditional reports whether a plan writes only under conditions.
func IsConditional(p Plan) bool {
	c, ok := p.(interface{ IsConditional() bool })
	return ok && c.IsConditional()
}

func isConditional(list []*Modify) bool { return slices.ContainsFunc(list, (*Modify).IsConditional) }

// table returns the table that all statements are about, nil if there are several or none.
func (b *Batch) table() *schema.Table {
	var t *schema.Table
	for _, m := range b.Statements {
		if t != nil && m.Table != t {
			return nil
		}
		t = m.Table
	}
	return t
}

func (p *planner) modification(statement ast.Statement) (*Modify, error) {
	switch s := statement.(type) {
	case *ast.Insert:
		return p.insert(s)
	case *ast.Update:
		return p.update(s)
	case *ast.Delete:
		return p.delete(s)
	case *ast.InsertJSON:
		return p.insertJSON(s)
	}
	return nil, unsupported(statement)
}

func (p *planner) batch(s *ast.Batch) (Plan, error) {
	if s.Kind == ast.CounterBatch {
		return nil, schema.Invalid("Counters are not supported yet (BEGIN COUNTER BATCH)")
	}
	p.batched = s.Kind
	out := &Batch{Unlogged: s.Kind == ast.UnloggedBatch, markers: p.markers}
	if s.Using.TTL() != nil {
		return nil, schema.Invalid("Global TTL on the BATCH statement is not supported.")
	}
	if t := s.Using.Timestamp(); t != nil {
		term, err := p.term(t, Spec{Name: "[timestamp]", Type: cqltype.TypeBigint})
		if err != nil {
			return nil, err
		}
		out.timestamp = term
	}
	for _, statement := range s.Statements {
		m, err := p.modification(statement)
		if err != nil {
			return nil, err
		}
		if out.timestamp != nil && m.timestamp != nil {
			return nil, schema.Invalid("Timestamp must be set either on BATCH or individual statements")
		}
		out.Statements = append(out.Statements, m)
	}
	if out.timestamp != nil && out.IsConditional() {
		return nil, schema.Invalid("Cannot provide custom timestamp for conditional BATCH")
	}
	return out, CheckBatch(out.Statements)
}

// writable finds the table that a statement is to change.
func (p *planner) writable(name ast.Qualified) (*schema.Table, error) {
	t, err := p.table(name)
	switch {
	case err != nil:
		return nil, err
	case t.Virtual && p.batched == ast.LoggedBatch:
		return nil, schema.Invalid("Cannot include a virtual table statement in a logged batch")
	case t.Virtual:
		return nil, schema.Invalid("Modification is not supported by table %s", t)
	case t.IsSystem():
		return nil, schema.Unauthorized("%s keyspace is not user-modifiable.", t.Keyspace)
	}
	return t, nil
}

// begin plans what all modifications have.
func (p *planner) begin(kind string, name ast.Qualified, using ast.Using) (*Modify, error) {
	t, err := p.writable(name)
	if err != nil {
		return nil, err
	}
	m := &Modify{Keyspace: p.schema.Keyspace(t.Keyspace), Table: t, kind: kind, markers: p.markers}
	receiver := Spec{Keyspace: t.Keyspace, Table: t.Name, Name: "[timestamp]", Type: cqltype.TypeBigint}
	if value := using.Timestamp(); value != nil {
		if m.timestamp, err = p.term(value, receiver); err != nil {
			return nil, err
		}
	}
	if value := using.TTL(); value != nil {
		receiver.Name, receiver.Type = "[ttl]", cqltype.TypeInt
		if m.ttl, err = p.term(value, receiver); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// CheckBatch refuses modifications that do not go together in one batch.
func CheckBatch(list []*Modify) error {
	if !isConditional(list) {
		return nil
	}
	for _, m := range list {
		if m.Table != list[0].Table {
			return schema.Invalid("Batch with conditions cannot span multiple tables")
		}
		if m.timestamp != nil { // it would have no effect
			return schema.Invalid("Cannot provide custom timestamp for conditional updates")
		}
	}
	return nil
}

func (p *planner) insert(s *ast.Insert) (*Modify, error) {
	m, err := p.begin("Insert into", s.Table, s.Using)
	if err != nil {
		return nil, err
	}
	if err := p.conditional(m, false, s.IfNotExists, nil); err != nil {
		return nil, err
	}
	if len(s.Columns) != len(s.Values) {
		return nil, schema.Invalid("Unmatched column names/values")
	}
	t := m.Table
	m.partition, m.clustering = make([]Term, len(t.Partition)), make([]Term, len(t.Clustering))
	seen := map[*schema.Column]bool{}
	hasRegular, hasClustering := false, false
	for i, name := range s.Columns {
		c, err := column(t, name)
		if err != nil {
			return nil, err
		}
		if seen[c] {
			return nil, schema.Invalid("The column names contains duplicates")
		}
		seen[c] = true
		value, err := p.term(s.Values[i], spec(t, c))
		if err != nil {
			return nil, err
		}
		switch c.Kind {
		case schema.PartitionKey:
			m.partition[c.Position] = value
		case schema.Clustering:
			m.clustering[c.Position], hasClustering = value, true
		default:
			hasRegular = hasRegular || c.Kind == schema.Regular
			m.operations = append(m.operations, assign(c, value))
		}
	}
	if missing := missingNames(t.Partition, m.partition); missing != "" {
		return nil, schema.Invalid("Some partition key parts are missing: %s", missing)
	}
	if len(t.Clustering) > 0 && !hasClustering && !hasRegular && len(m.operations) > 0 {
		m.clustering = nil // static columns only
		return m, nil
	}
	if missing := missingNames(t.Clustering, m.clustering); missing != "" {
		return nil, schema.Invalid("Some clustering keys are missing: %s", missing)
	}
	m.liveness = true
	return m, nil
}

func missingNames(columns []*schema.Column, terms []Term) string {
	var out []string
	for i, t := range terms {
		if t == nil {
			out = append(out, columns[i].Name)
		}
	}
	return strings.Join(out, ", ")
}

func (p *planner) update(s *ast.Update) (*Modify, error) {
	m, err := p.begin("Update", s.Table, s.Using)
	if err != nil {
		return nil, err
	}
	if err := p.conditional(m, s.IfExists, false, s.If); err != nil {
		return nil, err
	}
	staticOnly := !m.conditions.onRows()
	for i := range s.Assignments {
		o, err := p.assignment(m.Table, &s.Assignments[i])
		if err != nil {
			return nil, err
		}
		staticOnly = staticOnly && o.target().Kind == schema.Static
		m.operations = append(m.operations, o)
	}
	m.where, err = p.where(m.Table, updating, s.Where, false, staticOnly)
	return m, err
}

func (p *planner) delete(s *ast.Delete) (*Modify, error) {
	m, err := p.begin("Delete from", s.Table, s.Using)
	if err != nil {
		return nil, err
	}
	if err := p.conditional(m, s.IfExists, false, s.If); err != nil {
		return nil, err
	}
	rows := len(s.Targets) == 0 // something of them is deleted
	for _, target := range s.Targets {
		o, err := p.deletion(m.Table, target)
		if err != nil {
			return nil, err
		}
		rows = rows || o.target().Kind != schema.Static
		m.operations = append(m.operations, o)
	}
	staticOnly := !rows && !m.conditions.onRows()
	m.whole = len(s.Targets) == 0
	if m.where, err = p.where(m.Table, deleting, s.Where, false, staticOnly); err != nil {
		return nil, err
	}
	if m.conditions != nil && !m.where.isPoint() {
		if err := refuseRange(rows, m.conditions); err != nil {
			return nil, err
		}
	}
	if !m.whole && !staticOnly && !m.where.isPoint() {
		return nil, schema.Invalid("Range deletions are not supported for specific columns")
	}
	return m, nil
}

// refuseRange refuses a conditional DELETE that names no row, unless it is only about static columns.
func refuseRange(rows bool, c *conditions) error {
	const restrict = "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to "
	switch {
	case rows:
		return schema.Invalid(restrict + "delete non static columns")
	case c.onRows():
		return schema.Invalid(restrict + "use IF condition on non static columns")
	}
	return nil
}

func (m *Modify) String() string {
	var out printer
	out.line("%s %s", m.kind, m.Table)
	if m.where != nil {
		m.where.print(&out)
	} else {
		out.line("  partition: %s", printKey(m.Table.Partition, m.partition))
		if len(m.clustering) > 0 {
			out.line("  row: %s", printKey(m.Table.Clustering, m.clustering))
		}
	}
	if m.conditions != nil {
		out.line("  only if: %s", m.conditions)
	}
	for _, o := range m.operations {
		out.line("  %s", o)
	}
	if m.ttl != nil {
		out.line("  ttl: %s", m.ttl)
	}
	if m.timestamp != nil {
		out.line("  timestamp: %s", m.timestamp)
	}
	return out.String()
}

func printKey(columns []*schema.Column, terms []Term) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.Name + " = " + terms[i].String()
	}
	return strings.Join(parts, " AND ")
}

func (b *Batch) String() string {
	var out printer
	if b.IsConditional() {
		out.line("Batch of %d, carried out together if all conditions hold", len(b.Statements))
	} else {
		out.line("Batch of %d, carried out together", len(b.Statements))
	}
	for _, m := range b.Statements {
		for _, line := range strings.Split(m.String(), "\n") {
			out.line("  %s", line)
		}
	}
	return out.String()
}

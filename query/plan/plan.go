// Package plan turns syntax trees into plans: what to read or write, with every name resolved and
// every literal turned into a value.
//
// Make is pure: it looks at the statement and at one immutable schema and does no I/O, so a plan
// can be cached under its statement's text for as long as the schema has the same epoch. A plan
// holds no bind values; they come with a Binding when it is carried out, by package query.
//
// Whatever a statement asks for that is not supported yet is refused here, by name, with a
// *schema.InvalidRequestError; nothing is accepted and ignored. Wording follows Cassandra 5.0.
//
// Expressions are trees of Terms, those among selectors and those among values alike: constants, bind markers,
// columns of the row at hand, and calls of functions, which operators and casts are too. Which signature of a
// function is meant is decided here, by Cassandra's rules; what does not depend on a row or a bind value is computed
// here. Aggregates are numbered; a query with any of them, or with GROUP BY, asks all that it selects of groups of
// rows, where a column has the value of the first row.
//
// A modification with IF, or a batch with one, is carried out as a Transaction: it says what is to be read, looks at the
// present rows, and returns the change or what clients are told instead.
//
// Every plan prints itself, for EXPLAIN and for tests: one line per step.
package plan

import (
	"fmt"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Plan is a statement that is ready to be carried out: a *Select, *Modify, *Batch, *Define, *Describe,
// *Use or *Explain. Plans are immutable and safe for concurrent use.
type Plan interface {
	// Markers describes the bind markers, in the order of the text.
	Markers() []Spec
	// String prints the plan, one step on each line.
	String() string
}

// A Spec names a value: a column of a result, or what a bind marker stands for.
type Spec struct {
	Keyspace, Table string
	Name            string
	Type            *cqltype.Type

	column   *schema.Column // what it is a value of as a whole, if anything
	unpacked bool           // the plan takes it apart itself, and judges its parts
}

// Validate returns an error unless b, which is not null, is a value of the type.
func (s *Spec) Validate(b []byte) error {
	if s.unpacked {
		return nil
	}
	return s.Type.Validate(b)
}

// A Define is a change of the schema, carried out by package metadata.
type Define struct {
	Statement ast.Statement
}

// Markers returns nil: the schema cannot depend on bind values.
func (*Define) Markers() []Spec { return nil }

func (d *Define) String() string { return "Change the schema: " + d.Statement.String() }

// A Use sets the keyspace of a session.
type Use struct {
	Keyspace string
}

// Markers returns nil.
func (*Use) Markers() []Spec { return nil }

func (u *Use) String() string { return "Use keyspace " + u.Keyspace }

// An Explain shows another plan instead of carrying it out.
type Explain struct {
	Plan Plan
}

// Markers returns those of the explained plan.
func (e *Explain) Markers() []Spec { return e.Plan.Markers() }

func (e *Explain) String() string { return e.Plan.String() }

// A Catalog finds what statements name. *schema.Schema is one, of what users have made.
type Catalog interface {
	// Keyspace returns the keyspace of that name, or nil.
	Keyspace(name string) *schema.Keyspace
}

// Make plans a statement with what is in a catalog. keyspace is the one that unqualified names are looked up
// in, or empty. The error says what is wrong with the statement.
func Make(c Catalog, keyspace string, parsed *ast.Parsed) (Plan, error) {
	p := &planner{schema: c, keyspace: keyspace, markers: make([]Spec, len(parsed.Markers)), named: parsed.Markers}
	return p.statement(parsed.Statement)
}

// A planner plans one statement.
type planner struct {
	schema   Catalog
	keyspace string
	markers  []Spec
	named    []*ast.Marker
	batched  ast.BatchKind // of the batch that is planned; 0 outside of one

	scope       *schema.Table    // whose columns terms may name; nil outside of selectors
	used        []*schema.Column // by the selector that is planned
	aggregating bool             // the query returns groups of rows
	inAggregate bool             // in the argument of an aggregate
	aggregates  []aggregateCall  // that each group is asked for
	impure      bool             // a function is called that needs a Source
	resolved    map[resolutionKey]resolution
}

func (p *planner) statement(statement ast.Statement) (Plan, error) {
	switch s := statement.(type) {
	case *ast.Select:
		return p.selectStatement(s)
	case *ast.Insert, *ast.Update, *ast.Delete, *ast.InsertJSON:
		return p.modification(s)
	case *ast.Batch:
		return p.batch(s)
	case *ast.Use:
		if p.schema.Keyspace(s.Keyspace.Text) == nil {
			return nil, schema.Invalid("Keyspace '%s' does not exist", s.Keyspace.Text)
		}
		return &Use{Keyspace: s.Keyspace.Text}, nil
	case *ast.Explain:
		inner, err := p.statement(s.Statement)
		if err != nil {
			return nil, err
		}
		return &Explain{Plan: inner}, nil
	case *ast.Describe:
		return p.describe(s)
	case *ast.CreateKeyspace, *ast.AlterKeyspace, *ast.DropKeyspace, *ast.CreateTable, *ast.CreateTableLike,
		*ast.AlterTable, *ast.DropTable, *ast.CreateType, *ast.AlterType, *ast.DropType, *ast.Truncate,
		*ast.CreateIndex, *ast.DropIndex, *ast.CreateMaterializedView, *ast.AlterMaterializedView, *ast.DropMaterializedView,
		*ast.CreateFunction, *ast.DropFunction, *ast.CreateAggregate, *ast.DropAggregate, *ast.CreateTrigger, *ast.DropTrigger:
		return &Define{Statement: statement}, nil
	default:
		return nil, unsupported(statement)
	}
}

// unsupported refuses a kind of statement by the words it starts with.
func unsupported(statement ast.Statement) error {
	words := strings.Fields(statement.String())
	return schema.Invalid("%s statements are not supported yet", strings.ToUpper(strings.Join(words[:min(2, len(words))], " ")))
}

// table finds the table a statement is about.
func (p *planner) table(name ast.Qualified) (*schema.Table, error) {
	keyspace := name.Keyspace.Text
	if keyspace == "" {
		keyspace = p.keyspace
	}
	if keyspace == "" {
		return nil, schema.Invalid("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
	}
	k := p.schema.Keyspace(keyspace)
	if k == nil {
		return nil, schema.Invalid("keyspace %s does not exist", keyspace)
	}
	t := k.Table(name.Name.Text)
	if t == nil {
		return nil, schema.Invalid("table %s does not exist", name.Name.Text)
	}
	return t, nil
}

// column finds a column of t.
func column(t *schema.Table, name ast.Name) (*schema.Column, error) {
	if c := t.Column(name.Text); c != nil {
		return c, nil
	}
	return nil, schema.Invalid("Undefined column name %s in table %s", cqltype.QuoteName(name.Text), t)
}

// spec describes a column of t.
func spec(t *schema.Table, c *schema.Column) Spec {
	return Spec{Keyspace: t.Keyspace, Table: t.Name, Name: c.Name, Type: c.Type, column: c}
}

// PartitionKeyMarkers returns, for each column of the partition key in its order, the index of the
// bind marker that gives its value, as drivers want to know for token-aware routing. It returns nil
// if the markers do not give all of the key, or are of several tables.
func PartitionKeyMarkers(p Plan) []int {
	var t *schema.Table
	switch p := p.(type) {
	case *Select:
		t = p.Table
	case *Modify:
		t = p.Table
	case *Batch:
		t = p.table()
	}
	if t == nil {
		return nil
	}
	indexes := make([]int, len(t.Partition))
	found := 0
	for i := range indexes {
		indexes[i] = -1
	}
	for i, m := range p.Markers() {
		if m.column == nil || m.column.Kind != schema.PartitionKey {
			continue
		}
		if at := m.column.Position; indexes[at] < 0 {
			found++
		}
		indexes[m.column.Position] = i
	}
	if found < len(indexes) {
		return nil
	}
	return indexes
}

// printer collects the lines of a printed plan.
type printer struct {
	b strings.Builder
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
}

func (p *printer) String() string { return strings.TrimSuffix(p.b.String(), "\n") }

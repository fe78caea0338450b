package system

import (
	"slices"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Description is one row of what DESCRIBE answers, but for DESCRIBE CLUSTER.
type Description struct {
	Keyspace, Type, Name string // names are quoted where CQL needs that
	Statement            string // that creates it; empty in listings
}

// The types of what is described.
const (
	typeKeyspace = "keyspace"
	typeTable    = "table"
	typeType     = "type"
)

// Describe carries out DESCRIBE in the words of Cassandra 5.0.6. keyspace is that of the session, or empty.
func (t *Tables) Describe(s *schema.Schema, statement *ast.Describe, keyspace string) ([]Description, error) {
	d := &describer{catalog: t.Catalog(s), keyspace: keyspace, internals: statement.WithInternals}
	switch statement.Kind {
	case ast.DescribeSchema:
		return d.schema(statement.Full), nil
	case ast.DescribeKeyspaces:
		return d.list(nil, func(k *schema.Keyspace) []Description {
			return []Description{{Keyspace: cqltype.QuoteName(k.Name), Type: typeKeyspace, Name: cqltype.QuoteName(k.Name)}}
		})
	case ast.DescribeTables:
		return d.listCurrent(d.tables)
	case ast.DescribeTypes:
		return d.listCurrent(d.types)
	case ast.DescribeFunctions, ast.DescribeAggregates:
		return d.listCurrent(func(*schema.Keyspace) []Description { return nil })
	case ast.DescribeKeyspace:
		return d.oneKeyspace(statement.Name.Name.Text, statement.Only)
	case ast.DescribeAny:
		return d.anything(statement.Name)
	}
	return d.element(statement.Kind, statement.Name)
}

// A describer carries out one DESCRIBE.
type describer struct {
	catalog   Catalog
	keyspace  string // of the session
	internals bool
}

// schema describes all keyspaces, or all that users have made.
func (d *describer) schema(full bool) (out []Description) {
	for _, k := range d.catalog.Keyspaces() {
		if full || !metadata.IsSystem(k.Name) {
			out = append(out, d.whole(k)...)
		}
	}
	return out
}

// listCurrent lists what is in the session's keyspace, or in all if it has none.
func (d *describer) listCurrent(of func(*schema.Keyspace) []Description) ([]Description, error) {
	if d.keyspace == "" {
		return d.list(nil, of)
	}
	k, err := d.find("")
	if err != nil {
		return nil, err
	}
	return d.list([]*schema.Keyspace{k}, of)
}

// list lists what is in some keyspaces, or in all.
func (d *describer) list(keyspaces []*schema.Keyspace, of func(*schema.Keyspace) []Description) (out []Description, err error) {
	if keyspaces == nil {
		keyspaces = d.catalog.Keyspaces()
	}
	for _, k := range keyspaces {
		for _, description := range of(k) {
			description.Statement = ""
			out = append(out, description)
		}
	}
	return out, nil
}

// find returns a keyspace, that of the session if name is empty.
func (d *describer) find(name string) (*schema.Keyspace, error) {
	if name == "" {
		name = d.keyspace
	}
	if name == "" {
		return nil, schema.Invalid("No keyspace specified and no current keyspace")
	}
	if k := d.catalog.Keyspace(name); k != nil {
		return k, nil
	}
	return nil, schema.Invalid("'%s' not found in keyspaces", name)
}

func (d *describer) oneKeyspace(name string, only bool) ([]Description, error) {
	k, err := d.find(name)
	if err != nil {
		return nil, err
	}
	if only {
		return []Description{d.describeKeyspace(k)}, nil
	}
	return d.whole(k), nil
}

// anything describes a keyspace or, if there is none of that name, a table.
func (d *describer) anything(name ast.Qualified) ([]Description, error) {
	if name.Keyspace.Text == "" {
		if k := d.catalog.Keyspace(name.Name.Text); k != nil {
			return d.whole(k), nil
		}
		if d.keyspace == "" {
			return nil, schema.Invalid("'%s' not found in keyspaces", name.Name.Text)
		}
	}
	k, err := d.find(name.Keyspace.Text)
	if err != nil {
		return nil, err
	}
	if t := k.Table(name.Name.Text); t != nil {
		return []Description{d.describeTable(t)}, nil
	}
	return nil, schema.Invalid("'%s' not found in keyspace '%s'", name.Name.Text, k.Name)
}

// element describes something in a keyspace.
func (d *describer) element(kind ast.DescribeKind, name ast.Qualified) ([]Description, error) {
	k, err := d.find(name.Keyspace.Text)
	if err != nil {
		return nil, err
	}
	text := name.Name.Text
	switch kind {
	case ast.DescribeTable:
		if t := k.Table(text); t != nil {
			return []Description{d.describeTable(t)}, nil
		}
		return nil, schema.Invalid("Table '%s' not found in keyspace '%s'", text, k.Name)
	case ast.DescribeType:
		if t := k.Type(text); t != nil {
			return []Description{describeType(t)}, nil
		}
		return nil, schema.Invalid("User defined type '%s' not found in '%s'", text, k.Name)
	case ast.DescribeFunction:
		return nil, schema.Invalid("User defined function '%s' not found in '%s'", text, k.Name)
	case ast.DescribeAggregate:
		return nil, schema.Invalid("User defined aggregate '%s' not found in '%s'", text, k.Name)
	case ast.DescribeIndex:
		return nil, schema.Invalid("Table for existing index '%s' not found in '%s'", text, k.Name)
	default:
		return nil, schema.Invalid("Materialized view '%s' not found in '%s'", text, k.Name)
	}
}

// whole describes a keyspace and all that is in it, in an order in which it can be created.
func (d *describer) whole(k *schema.Keyspace) []Description {
	out := []Description{d.describeKeyspace(k)}
	for _, t := range byDependency(k) {
		out = append(out, describeType(t))
	}
	return append(out, d.tables(k)...)
}

// byDependency returns the user-defined types of a keyspace, each behind those that it is made of.
func byDependency(k *schema.Keyspace) []*cqltype.Type {
	var out []*cqltype.Type
	done := map[string]bool{}
	var visit func(t *cqltype.Type)
	visit = func(t *cqltype.Type) {
		_, name := t.UDTName()
		if done[name] {
			return
		}
		done[name] = true
		for _, f := range t.Fields() {
			for u := range f.Type.Walk() {
				if _, inner := u.UDTName(); inner != "" {
					visit(k.Type(inner))
				}
			}
		}
		out = append(out, t)
	}
	for _, t := range typesOf(k) {
		visit(t)
	}
	return out
}

func typesOf(k *schema.Keyspace) []*cqltype.Type {
	return slices.SortedFunc(k.Types(), func(a, b *cqltype.Type) int {
		_, first := a.UDTName()
		_, second := b.UDTName()
		return compareNames(first, second)
	})
}

func (d *describer) types(k *schema.Keyspace) (out []Description) {
	for _, t := range typesOf(k) {
		out = append(out, describeType(t))
	}
	return out
}

func (d *describer) tables(k *schema.Keyspace) (out []Description) {
	for _, t := range slices.SortedFunc(k.Tables(), func(a, b *schema.Table) int { return compareNames(a.Name, b.Name) }) {
		out = append(out, d.describeTable(t))
	}
	return out
}

func (d *describer) describeKeyspace(k *schema.Keyspace) Description {
	name := cqltype.QuoteName(k.Name)
	return Description{name, typeKeyspace, name, metadata.DescribeKeyspace(k)}
}

func (d *describer) describeTable(t *schema.Table) Description {
	out := Description{cqltype.QuoteName(t.Keyspace), typeTable, cqltype.QuoteName(t.Name), ""}
	if d.internals {
		out.Statement = metadata.DescribeInternals(t)
	} else {
		out.Statement = metadata.Describe(t)
	}
	return out
}

func describeType(t *cqltype.Type) Description {
	keyspace, name := t.UDTName()
	return Description{cqltype.QuoteName(keyspace), typeType, cqltype.QuoteName(name), metadata.DescribeType(t)}
}

// A Cluster is what DESCRIBE CLUSTER answers.
type Cluster struct {
	Name, Partitioner, Snitch string
	Ranges                    map[string][]string // by token, the nodes that own the range that ends there
}

// Cluster describes the cluster.
func (t *Tables) Cluster() Cluster {
	c := Cluster{Name: t.node.Cluster, Partitioner: "Murmur3Partitioner", Snitch: "DynamicEndpointSnitch", Ranges: map[string][]string{}}
	topology := t.topology()
	for _, r := range topology.Ranges() {
		c.Ranges[r.End.String()] = []string{"/" + nodeAddress(topology.Owner(r.End)).String()}
	}
	return c
}

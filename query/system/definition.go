package system

import (
	"crypto/md5"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A definition is one keyspace of the system: its replication, and the statements that create its tables.
type definition struct {
	replication schema.Replication
	tables      string
}

// definitions returns the keyspaces by name. Virtual ones have no replication.
func definitions() map[string]definition {
	local := schema.Replication{Class: "LocalStrategy"}
	return map[string]definition{
		"system":                {local, nodeTables},
		"system_schema":         {local, schemaTables},
		"system_traces":         {schema.Replication{Class: "SimpleStrategy", Options: map[string]string{"replication_factor": "2"}}, traceTables},
		"system_views":          {schema.Replication{}, viewTables + gossipTable()},
		"system_virtual_schema": {schema.Replication{}, virtualSchemaTables},
	}
}

// makeKeyspaces returns the keyspaces of the system.
func makeKeyspaces() (map[string]*schema.Keyspace, error) {
	out := map[string]*schema.Keyspace{}
	for name, d := range definitions() {
		k := schema.NewKeyspace(name, d.replication, true)
		for text := range strings.SplitSeq(strings.TrimSpace(d.tables), ";\n") {
			t, err := makeTable(strings.TrimSuffix(text, ";"), k)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", text, err)
			}
			k = k.WithTable(t)
		}
		out[name] = k
	}
	return out, nil
}

// makeTable carries out CREATE TABLE. Package metadata does not do that in a keyspace of the system, so the table is
// created in another one.
func makeTable(text string, k *schema.Keyspace) (*schema.Table, error) {
	const scratch = "scratch"
	parsed, err := grammar.Parse(text)
	if err != nil {
		return nil, err
	}
	create, ok := parsed.Statement.(*ast.CreateTable)
	if !ok {
		return nil, fmt.Errorf("%T is not CREATE TABLE", parsed.Statement)
	}
	if create.Table.Keyspace.Text != k.Name {
		return nil, fmt.Errorf("the table is not in keyspace %s", k.Name)
	}
	create.Table.Keyspace.Text = scratch
	name := create.Table.Name.Text
	made, _, err := metadata.Apply(schema.Empty().With(schema.NewKeyspace(scratch, k.Replication, true)),
		metadata.Change{Statement: create, TableID: tableID(k.Name, name)})
	if err != nil {
		return nil, err
	}
	t := made.Table(scratch, name).Clone()
	t.Keyspace, t.Incarnation, t.Virtual = k.Name, 0, k.IsVirtual()
	return t.Seal(), nil
}

// tableID returns the id of a table of the system, which follows from its name as in Cassandra.
func tableID(keyspace, table string) cqltype.UUID { return nameUUID([]byte(keyspace + table)) }

// nameUUID returns the version 3 UUID of a name, as Java's UUID.nameUUIDFromBytes does.
func nameUUID(name []byte) cqltype.UUID {
	id := cqltype.UUID(md5.Sum(name))
	id[6] = id[6]&0x0F | 0x30
	id[8] = id[8]&0x3F | 0x80
	return id
}

// A Catalog finds the keyspaces that users have made, and those of the system.
type Catalog struct {
	user   *schema.Schema
	system map[string]*schema.Keyspace
}

// Keyspace returns the keyspace of that name, or nil.
func (c Catalog) Keyspace(name string) *schema.Keyspace {
	if k := c.system[name]; k != nil {
		return k
	}
	return c.user.Keyspace(name)
}

// Keyspaces returns all keyspaces in order of their names, without regard to case.
func (c Catalog) Keyspaces() []*schema.Keyspace {
	out := slices.Collect(maps.Values(c.system))
	out = slices.AppendSeq(out, c.user.Keyspaces())
	slices.SortFunc(out, func(a, b *schema.Keyspace) int { return compareNames(a.Name, b.Name) })
	return out
}

// compareNames orders names as DESCRIBE does: without regard to case, unless that is all they differ in.
func compareNames(a, b string) int {
	if order := strings.Compare(strings.ToLower(a), strings.ToLower(b)); order != 0 {
		return order
	}
	return strings.Compare(a, b)
}

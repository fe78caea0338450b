// Package schema holds what exists: keyspaces, tables, columns and user-defined types.
//
// A Schema is immutable. A change makes a new Schema that shares what did not change, with the
// next epoch; whoever loaded the old one goes on seeing one consistent world. Only package
// metadata makes changes; this package keeps the shapes and the relations between them.
//
// Names are stored as CQL means them: lower case unless they were quoted.
package schema

import (
	"iter"
	"maps"
	"slices"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Schema is one state of everything that exists. It is safe for concurrent use.
type Schema struct {
	Epoch           uint64 // rises by one with every change
	NextIncarnation uint32 // the next table incarnation to give out; they start at 1

	keyspaces    map[string]*Keyspace
	incarnations map[uint32]*Table
}

// Empty returns the schema of a new node, without any keyspace.
func Empty() *Schema {
	return &Schema{NextIncarnation: 1, keyspaces: map[string]*Keyspace{}, incarnations: map[uint32]*Table{}}
}

// Keyspace returns the keyspace of that name, or nil.
func (s *Schema) Keyspace(name string) *Keyspace { return s.keyspaces[name] }

// Keyspaces returns all keyspaces in order of their names.
func (s *Schema) Keyspaces() iter.Seq[*Keyspace] { return sorted(s.keyspaces) }

// Table returns the table of that name, or nil.
func (s *Schema) Table(keyspace, table string) *Table {
	if k := s.keyspaces[keyspace]; k != nil {
		return k.Table(table)
	}
	return nil
}

// TableOf returns the table that has the incarnation, or nil if none has it (anymore).
func (s *Schema) TableOf(incarnation uint32) *Table { return s.incarnations[incarnation] }

// With returns a schema in which k replaces the keyspace of its name, or is added.
func (s *Schema) With(k *Keyspace) *Schema {
	keyspaces := maps.Clone(s.keyspaces)
	keyspaces[k.Name] = k
	return s.next(keyspaces)
}

// Without returns a schema that lacks the keyspace of that name.
func (s *Schema) Without(keyspace string) *Schema {
	keyspaces := maps.Clone(s.keyspaces)
	delete(keyspaces, keyspace)
	return s.next(keyspaces)
}

// TakeIncarnation returns a schema of the same epoch whose next incarnation is one higher, and the
// one to use.
func (s *Schema) TakeIncarnation() (*Schema, uint32) {
	taken := *s
	taken.NextIncarnation++
	return &taken, s.NextIncarnation
}

func (s *Schema) next(keyspaces map[string]*Keyspace) *Schema {
	n := &Schema{Epoch: s.Epoch + 1, NextIncarnation: s.NextIncarnation, keyspaces: keyspaces, incarnations: map[uint32]*Table{}}
	for _, k := range keyspaces {
		for _, t := range k.tables {
			n.incarnations[t.Incarnation] = t
		}
	}
	return n
}

// A Keyspace is a set of tables that are replicated in the same way.
type Keyspace struct {
	Name          string
	Replication   Replication
	DurableWrites bool

	tables map[string]*Table
	types  map[string]*cqltype.Type
}

// A Replication says where the replicas of a keyspace's partitions live.
type Replication struct {
	Class   string            // SimpleStrategy, NetworkTopologyStrategy or LocalStrategy
	Options map[string]string // replication_factor, or one factor for each datacenter
}

// NewKeyspace returns a keyspace without tables.
func NewKeyspace(name string, replication Replication, durableWrites bool) *Keyspace {
	return &Keyspace{Name: name, Replication: replication, DurableWrites: durableWrites,
		tables: map[string]*Table{}, types: map[string]*cqltype.Type{}}
}

// IsVirtual reports whether k holds virtual tables, which have no replicas. Only the system has such keyspaces.
func (k *Keyspace) IsVirtual() bool { return k.Replication.Class == "" }

// Table returns the table of that name, or nil.
func (k *Keyspace) Table(name string) *Table { return k.tables[name] }

// Tables returns all tables in order of their names.
func (k *Keyspace) Tables() iter.Seq[*Table] { return sorted(k.tables) }

// Type returns the user-defined type of that name, not frozen, or nil.
func (k *Keyspace) Type(name string) *cqltype.Type { return k.types[name] }

// Types returns all user-defined types in order of their names.
func (k *Keyspace) Types() iter.Seq[*cqltype.Type] { return sorted(k.types) }

// Altered returns a copy of k with other replication or durability, to be changed by the caller
// before it is shared.
func (k *Keyspace) Altered() *Keyspace {
	c := *k
	return &c
}

// WithTable returns a keyspace in which t replaces the table of its name, or is added.
func (k *Keyspace) WithTable(t *Table) *Keyspace {
	c := *k
	c.tables = maps.Clone(k.tables)
	c.tables[t.Name] = t
	return &c
}

// WithoutTable returns a keyspace that lacks the table of that name.
func (k *Keyspace) WithoutTable(name string) *Keyspace {
	c := *k
	c.tables = maps.Clone(k.tables)
	delete(c.tables, name)
	return &c
}

// WithType returns a keyspace in which t, a user-defined type, replaces the one of its name.
func (k *Keyspace) WithType(t *cqltype.Type) *Keyspace {
	_, name := t.UDTName()
	c := *k
	c.types = maps.Clone(k.types)
	c.types[name] = t
	return &c
}

// WithoutType returns a keyspace that lacks the user-defined type of that name.
func (k *Keyspace) WithoutType(name string) *Keyspace {
	c := *k
	c.types = maps.Clone(k.types)
	delete(c.types, name)
	return &c
}

func sorted[V any](m map[string]V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(m[name]) {
				return
			}
		}
	}
}

package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Record is one part of a schema as it is kept on disk: a name and a JSON document. A schema is
// a record of its counters, one of each keyspace with its types, and one of each table.
type Record struct {
	Name  string
	Value []byte // nil says that the record is to be removed
}

const (
	stateRecord    = "state"
	keyspaceRecord = "keyspace/"
	tableRecord    = "table/"
)

type stateJSON struct {
	Format          int    `json:"format"`
	Epoch           uint64 `json:"epoch"`
	NextIncarnation uint32 `json:"next_incarnation"`
}

const recordFormat = 1

type keyspaceJSON struct {
	Name          string      `json:"name"`
	Replication   Replication `json:"replication"`
	DurableWrites bool        `json:"durable_writes"`
	Types         []typeJSON  `json:"types,omitempty"`
}

type typeJSON struct {
	Name   string      `json:"name"`
	Fields []fieldJSON `json:"fields"`
}

type fieldJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type tableJSON struct {
	Keyspace    string          `json:"keyspace"`
	Name        string          `json:"name"`
	ID          string          `json:"id"`
	Incarnation uint32          `json:"incarnation"`
	Options     Options         `json:"options"`
	Columns     []columnJSON    `json:"columns"`
	NextColumn  uint32          `json:"next_column"`
	Dropped     []DroppedColumn `json:"dropped,omitempty"`
}

type columnJSON struct {
	ID         uint32     `json:"id"`
	Name       string     `json:"name"`
	Type       string     `json:"type"`
	Kind       ColumnKind `json:"kind"`
	Position   int        `json:"position,omitempty"`
	Descending bool       `json:"descending,omitempty"`
}

// records returns all of a schema.
func (s *Schema) records() map[string][]byte {
	out := map[string][]byte{stateRecord: encode(stateJSON{recordFormat, s.Epoch, s.NextIncarnation})}
	for _, k := range s.keyspaces {
		doc := keyspaceJSON{Name: k.Name, Replication: k.Replication, DurableWrites: k.DurableWrites}
		for t := range k.Types() {
			_, name := t.UDTName()
			fields := make([]fieldJSON, 0, len(t.Fields()))
			for _, f := range t.Fields() {
				fields = append(fields, fieldJSON{f.Name, f.Type.String()})
			}
			doc.Types = append(doc.Types, typeJSON{name, fields})
		}
		out[keyspaceRecord+k.Name] = encode(doc)
		for _, t := range k.tables {
			out[tableRecord+t.Keyspace+"/"+t.Name] = encode(t.document())
		}
	}
	return out
}

func (t *Table) document() tableJSON {
	doc := tableJSON{Keyspace: t.Keyspace, Name: t.Name, ID: t.ID.String(), Incarnation: t.Incarnation,
		Options: t.Options, NextColumn: t.NextColumn, Dropped: t.Dropped}
	for c := range t.Columns() {
		doc.Columns = append(doc.Columns, columnJSON{c.ID, c.Name, c.Type.String(), c.Kind, c.Position, c.Descending})
	}
	return doc
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // these types always encode
	}
	return text
}

// Diff returns the records that turn what is stored of old into what is stored of s.
func (s *Schema) Diff(old *Schema) []Record {
	before, now := old.records(), s.records()
	var out []Record
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if !bytes.Equal(before[name], now[name]) {
			out = append(out, Record{name, now[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, ok := now[name]; !ok {
			out = append(out, Record{Name: name})
		}
	}
	return out
}

// Load makes a schema of its records, in any order; of no records, an empty one.
func Load(records []Record) (*Schema, error) {
	s := Empty()
	if len(records) == 0 {
		return s, nil
	}
	var state stateJSON
	var keyspaces []keyspaceJSON
	var tables []tableJSON
	for _, r := range records {
		var err error
		switch {
		case r.Name == stateRecord:
			err = json.Unmarshal(r.Value, &state)
		case strings.HasPrefix(r.Name, keyspaceRecord):
			var doc keyspaceJSON
			err = json.Unmarshal(r.Value, &doc)
			keyspaces = append(keyspaces, doc)
		case strings.HasPrefix(r.Name, tableRecord):
			var doc tableJSON
			err = json.Unmarshal(r.Value, &doc)
			tables = append(tables, doc)
		default:
			err = fmt.Errorf("unknown record")
		}
		if err != nil {
			return nil, fmt.Errorf("stored schema, record %s: %w", r.Name, err)
		}
	}
	if state.Format != recordFormat {
		return nil, fmt.Errorf("stored schema has format %d; this version reads %d", state.Format, recordFormat)
	}
	for i := range keyspaces {
		k, err := keyspaces[i].keyspace()
		if err != nil {
			return nil, err
		}
		s.keyspaces[k.Name] = k
	}
	for i := range tables {
		if err := s.addTable(&tables[i]); err != nil {
			return nil, err
		}
	}
	s = s.next(s.keyspaces)
	s.Epoch, s.NextIncarnation = state.Epoch, state.NextIncarnation
	return s, nil
}

// keyspace makes a keyspace with its types, which may refer to each other in any order.
func (doc *keyspaceJSON) keyspace() (*Keyspace, error) {
	k := NewKeyspace(doc.Name, doc.Replication, doc.DurableWrites)
	todo := doc.Types
	for len(todo) > 0 {
		var later []typeJSON
		var failure error
		for _, t := range todo {
			udt, err := k.userType(t)
			if err != nil {
				later, failure = append(later, t), fmt.Errorf("stored schema, type %s.%s: %w", doc.Name, t.Name, err)
				continue
			}
			k.types[t.Name] = udt
		}
		if len(later) == len(todo) {
			return nil, failure
		}
		todo = later
	}
	return k, nil
}

func (k *Keyspace) userType(doc typeJSON) (*cqltype.Type, error) {
	var fields []cqltype.Field
	for _, f := range doc.Fields {
		t, err := k.parseType(f.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, cqltype.Field{Name: f.Name, Type: t})
	}
	return cqltype.UDT(k.Name, doc.Name, fields)
}

func (k *Keyspace) parseType(text string) (*cqltype.Type, error) {
	return cqltype.Parse(text, func(keyspace, name string) (*cqltype.Type, bool) {
		t := k.types[name]
		return t, t != nil && (keyspace == "" || keyspace == k.Name)
	})
}

// addTable makes a table and puts it into its keyspace. s is not shared yet.
func (s *Schema) addTable(doc *tableJSON) error {
	fail := func(err error) error {
		return fmt.Errorf("stored schema, table %s.%s: %w", doc.Keyspace, doc.Name, err)
	}
	k := s.keyspaces[doc.Keyspace]
	if k == nil {
		return fail(fmt.Errorf("its keyspace does not exist"))
	}
	id, err := cqltype.ParseUUID(doc.ID)
	if err != nil {
		return fail(err)
	}
	t := &Table{Keyspace: doc.Keyspace, Name: doc.Name, ID: id, Incarnation: doc.Incarnation,
		Options: doc.Options, NextColumn: doc.NextColumn, Dropped: doc.Dropped}
	for _, c := range doc.Columns {
		typ, err := k.parseType(c.Type)
		if err != nil {
			return fail(err)
		}
		column := &Column{ID: c.ID, Name: c.Name, Type: typ, Kind: c.Kind, Position: c.Position, Descending: c.Descending}
		switch c.Kind {
		case PartitionKey:
			t.Partition = append(t.Partition, column)
		case Clustering:
			t.Clustering = append(t.Clustering, column)
		case Static:
			t.Static = append(t.Static, column)
		case Regular:
			t.Regular = append(t.Regular, column)
		default:
			return fail(fmt.Errorf("column %s has unknown kind %d", c.Name, c.Kind))
		}
	}
	k.tables[t.Name] = t.Seal()
	return nil
}

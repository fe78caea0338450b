package plan

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A document is the text of INSERT JSON, with a value for each column that it names.
type document struct {
	text  Term
	table *schema.Table
	unset bool // columns that it does not name are left alone
}

// A decodedDocument is a document with its values. A Binding keeps the last one, so that it is decoded once for all
// columns.
type decodedDocument struct {
	of     *document
	values map[string]Value
}

// decode takes the document apart.
func (d *document) decode(b *Binding) (map[string]Value, error) {
	if b != nil && b.document.of == d {
		return b.document.values, nil
	}
	text, err := d.text.Eval(b)
	if err != nil {
		return nil, err
	}
	if text.Unset {
		return nil, schema.Invalid("Cannot INSERT JSON using an unset value")
	}
	var decoded any
	if text.Bytes != nil {
		if decoded, err = decodeJSON(string(text.Bytes)); err != nil {
			return nil, schema.Invalid("Could not decode JSON string as a map: %s. (String was: %s)", err, text.Bytes)
		}
	}
	if decoded == nil {
		return nil, schema.Invalid("Got null for INSERT JSON values")
	}
	entries, ok := decoded.(map[string]any)
	if !ok {
		class, _ := javaShown(decoded)
		return nil, schema.Invalid("Could not decode JSON string as a map: it is a %s. (String was: %s)", class, text.Bytes)
	}
	values, err := d.encode(foldNames(entries))
	if err == nil && b != nil {
		b.document = decodedDocument{d, values}
	}
	return values, err
}

func (d *document) encode(entries map[string]any) (map[string]Value, error) {
	values := make(map[string]Value, len(entries))
	for c := range d.table.Columns() {
		v, ok := entries[c.Name]
		delete(entries, c.Name)
		switch {
		case !ok:
			values[c.Name] = Value{Unset: d.unset && !c.IsPrimaryKey()}
		case v == nil:
			values[c.Name] = Value{}
		default:
			encoded, err := fromJSON(c.Type, v)
			if err != nil {
				return nil, schema.Invalid("Error decoding JSON value for %s: %s", c.Name, err)
			}
			values[c.Name] = Value{Bytes: encoded}
		}
	}
	if len(entries) > 0 {
		return nil, schema.Invalid("JSON values map contains unrecognized column: %s", leastKey(entries))
	}
	return values, nil
}

// A documentColumn is what a document has for a column.
type documentColumn struct {
	document *document
	name     string
}

// Eval returns the value.
func (c *documentColumn) Eval(b *Binding) (Value, error) {
	values, err := c.document.decode(b)
	return values[c.name], err
}

func (c *documentColumn) String() string { return c.document.text.String() + "." + c.name }

// insertJSON plans INSERT JSON: an INSERT of all columns.
func (p *planner) insertJSON(s *ast.InsertJSON) (*Modify, error) {
	m, err := p.begin("Insert into", s.Table, s.Using)
	if err != nil {
		return nil, err
	}
	if err := p.conditional(m, false, s.IfNotExists, nil); err != nil {
		return nil, err
	}
	t := m.Table
	d := &document{table: t, unset: s.DefaultUnset}
	if d.text, err = p.term(s.Value, Spec{Keyspace: t.Keyspace, Table: t.Name, Name: "[json]", Type: cqltype.TypeText}); err != nil {
		return nil, err
	}
	var known map[string]Value
	if _, ok := d.text.(*constant); ok {
		if known, err = d.decode(nil); err != nil {
			return nil, err
		}
	}
	m.partition, m.clustering = make([]Term, len(t.Partition)), make([]Term, len(t.Clustering))
	for c := range t.Columns() {
		var value Term = &documentColumn{d, c.Name}
		if known != nil {
			value = &constant{value: known[c.Name], typ: c.Type}
		}
		switch c.Kind {
		case schema.PartitionKey:
			m.partition[c.Position] = value
		case schema.Clustering:
			m.clustering[c.Position] = value
		default:
			m.operations = append(m.operations, assign(c, value))
		}
	}
	m.liveness = true
	return m, nil
}

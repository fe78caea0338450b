package frame

import "github.com/iliumdb/ilium/schema/cqltype"

// A Column describes a column of a result or a bind marker of a prepared statement.
type Column struct {
	Keyspace, Table string
	Name            string
	Type            *cqltype.Type
}

// Metadata describes the rows of a result.
type Metadata struct {
	// Columns are the columns, in order. Decode leaves it empty if NoMetadata is set.
	Columns []Column

	// NoMetadata leaves the columns out: the client has said that it knows them, or there are none.
	NoMetadata bool

	// ColumnCount is the number of columns. Decode always sets it; Encode uses it only if NoMetadata is set and Columns is
	// empty.
	ColumnCount int

	// PagingState says where the next page begins; nil if this is the last.
	PagingState []byte

	// NewID is the id of Columns if they are not those that the id of the EXECUTE stood for, otherwise nil: the flag
	// METADATA_CHANGED of version 5. Older versions have no place for it, so it is left out there.
	NewID []byte
}

// Flags of metadata (section 4.2.5.2).
const (
	metadataGlobal       = 0x01
	metadataMorePages    = 0x02
	metadataNone         = 0x04
	metadataChanged      = 0x08
	leastGlobalColumn    = 4 // bytes: an empty name and a type
	leastQualifiedColumn = 8
)

func (m *Metadata) decode(d *decoder, v Version) {
	flags := d.int("metadata flags")
	m.NoMetadata = flags&metadataNone != 0
	// Columns that are not described take at least four bytes each in every row, but there may be no rows.
	m.ColumnCount = int(d.int("number of columns"))
	if m.ColumnCount < 0 {
		d.fail("number of columns", 4, "%d is negative", m.ColumnCount)
	}
	m.PagingState, m.NewID = nil, nil
	if flags&metadataMorePages != 0 {
		m.PagingState = d.bytes("paging state")
	}
	if flags&metadataChanged != 0 && v >= V5 {
		m.NewID = d.shortBytes("new metadata id")
	}
	n := m.ColumnCount
	if m.NoMetadata {
		n = 0
	}
	m.Columns = d.columns(m.Columns, n, flags&metadataGlobal != 0 && !m.NoMetadata, v)
}

// columns reads n columns, with one keyspace and table in front of all if global is set.
func (d *decoder) columns(into []Column, n int, global bool, v Version) []Column {
	var keyspace, table string
	least := leastQualifiedColumn
	if global {
		keyspace, table = d.string("keyspace"), d.string("table")
		least = leastGlobalColumn
	}
	columns := reuse(into, d.checkCount("number of columns", n, 0, least))
	for i := range columns {
		if !global {
			keyspace, table = d.again("keyspace", keyspace), d.again("table", table)
		}
		columns[i] = Column{Keyspace: keyspace, Table: table, Name: d.string("name of a column"), Type: d.option(v, 0)}
		if d.err != nil {
			return nil
		}
	}
	return columns
}

// again reads a string that is probably the same as the last one.
func (d *decoder) again(field, last string) string {
	if b := d.shortBytes(field); string(b) != last {
		return string(b)
	}
	return last
}

func (m *Metadata) encode(e *encoder, v Version) {
	flags, n := int32(0), len(m.Columns)
	if m.NoMetadata {
		flags |= metadataNone
		if n == 0 {
			n = m.ColumnCount
		}
	}
	global := !m.NoMetadata && sameTable(m.Columns)
	if global {
		flags |= metadataGlobal
	}
	if m.PagingState != nil {
		flags |= metadataMorePages
	}
	changed := m.NewID != nil && v >= V5
	if changed {
		flags |= metadataChanged
	}
	e.int(flags)
	e.size("number of columns", n)
	if m.PagingState != nil {
		e.bytes("paging state", m.PagingState)
	}
	if changed {
		e.shortBytes("new metadata id", m.NewID)
	}
	if !m.NoMetadata {
		e.columns(m.Columns, global, v)
	}
}

func (e *encoder) columns(columns []Column, global bool, v Version) {
	if global {
		e.string("keyspace", columns[0].Keyspace)
		e.string("table", columns[0].Table)
	}
	for i := range columns {
		c := &columns[i]
		if !global {
			e.string("keyspace", c.Keyspace)
			e.string("table", c.Table)
		}
		e.string("name of a column", c.Name)
		e.option(c.Type, v)
	}
}

// sameTable reports whether there are columns and all are of one table.
func sameTable(columns []Column) bool {
	for i := range columns {
		if columns[i].Table != columns[0].Table || columns[i].Keyspace != columns[0].Keyspace {
			return false
		}
	}
	return len(columns) > 0
}

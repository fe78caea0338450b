package ast

const (
	ifNotExists = "IF NOT EXISTS "
	ifExists    = "IF EXISTS "
)

// with appends properties after a keyword: " WITH " first, then " AND ".
func (p *printer) with(properties []Property) {
	p.properties(" WITH ", properties)
}

func (p *printer) properties(first string, properties []Property) {
	for i, property := range properties {
		if i == 0 {
			p.write(first)
		} else {
			p.write(" AND ")
		}
		p.name(property.Name)
		p.write(" = ")
		property.Value.print(p)
	}
}

func (s *CreateKeyspace) print(p *printer) {
	p.write("CREATE KEYSPACE ")
	p.when(s.IfNotExists, ifNotExists)
	p.name(s.Keyspace)
	p.with(s.Properties)
}

func (s *AlterKeyspace) print(p *printer) {
	p.write("ALTER KEYSPACE ")
	p.when(s.IfExists, ifExists)
	p.name(s.Keyspace)
	p.with(s.Properties)
}

func (s *DropKeyspace) print(p *printer) {
	p.write("DROP KEYSPACE ")
	p.when(s.IfExists, ifExists)
	p.name(s.Keyspace)
}

func (s *CreateTable) print(p *printer) {
	p.write("CREATE TABLE ")
	p.when(s.IfNotExists, ifNotExists)
	p.qualified(s.Table)
	p.write(" (")
	p.list(len(s.Columns)+len(s.PrimaryKeys), ", ", func(i int) {
		if i < len(s.Columns) {
			p.column(s.Columns[i])
		} else {
			p.primaryKey(s.PrimaryKeys[i-len(s.Columns)])
		}
	})
	p.write(")")
	p.tableOptions(s.Options)
}

func (p *printer) column(c ColumnDefinition) {
	p.name(c.Name)
	p.write(" ")
	c.Type.print(p)
	p.when(c.Static, " STATIC")
	p.mask(c.Mask)
}

func (p *printer) mask(mask *Call) {
	if mask != nil {
		p.write(" MASKED WITH ")
		mask.print(p)
	}
}

func (p *printer) primaryKey(k PrimaryKey) {
	p.write("PRIMARY KEY (")
	if len(k.Partition) == 1 {
		p.name(k.Partition[0])
	} else {
		p.write("(")
		p.names(k.Partition)
		p.write(")")
	}
	for _, column := range k.Clustering {
		p.write(", ")
		p.name(column)
	}
	p.write(")")
}

func (p *printer) tableOptions(o TableOptions) {
	word := " WITH "
	if len(o.ClusteringOrder) > 0 {
		p.write(word, "CLUSTERING ORDER BY (")
		p.list(len(o.ClusteringOrder), ", ", func(i int) {
			p.name(o.ClusteringOrder[i].Column)
			if o.ClusteringOrder[i].Descending {
				p.write(" DESC")
			} else {
				p.write(" ASC")
			}
		})
		p.write(")")
		word = " AND "
	}
	if o.CompactStorage {
		p.write(word, "COMPACT STORAGE")
		word = " AND "
	}
	p.properties(word, o.Properties)
}

func (s *CreateTableLike) print(p *printer) {
	p.write("CREATE TABLE ")
	p.when(s.IfNotExists, ifNotExists)
	p.qualified(s.Table)
	p.write(" LIKE ")
	p.qualified(s.Source)
	if s.Indexes {
		p.write(" WITH INDEXES")
		p.properties(" AND ", s.Properties)
	} else {
		p.with(s.Properties)
	}
}

func (s *AlterTable) print(p *printer) {
	p.write("ALTER TABLE ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.Table)
	s.Change.print(p)
}

func (c *AddColumns) print(p *printer) {
	p.write(" ADD ")
	p.when(c.IfNotExists, ifNotExists)
	p.write("(")
	p.list(len(c.Columns), ", ", func(i int) { p.column(c.Columns[i]) })
	p.write(")")
}

func (c *DropColumns) print(p *printer) {
	p.write(" DROP ")
	p.when(c.IfExists, ifExists)
	p.write("(")
	p.names(c.Columns)
	p.write(")")
	if c.Timestamp != nil {
		p.write(" USING TIMESTAMP ")
		c.Timestamp.print(p)
	}
}

func (c *Rename) print(p *printer) {
	p.write(" RENAME ")
	p.when(c.IfExists, ifExists)
	p.list(len(c.Renames), " AND ", func(i int) {
		p.name(c.Renames[i].From)
		p.write(" TO ")
		p.name(c.Renames[i].To)
	})
}

func (c *AlterColumnType) print(p *printer) {
	p.write(" ALTER ")
	p.name(c.Column)
	p.write(" TYPE ")
	c.Type.print(p)
}

func (c *MaskColumn) print(p *printer) {
	p.write(" ALTER ")
	p.when(c.IfExists, ifExists)
	p.name(c.Column)
	p.mask(c.Mask)
	p.when(c.Mask == nil, " DROP MASKED")
}

func (*DropCompactStorage) print(p *printer) { p.write(" DROP COMPACT STORAGE") }

func (c *SetProperties) print(p *printer) { p.with(c.Properties) }

func (s *DropTable) print(p *printer) {
	p.write("DROP TABLE ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.Table)
}

func (s *CreateType) print(p *printer) {
	p.write("CREATE TYPE ")
	p.when(s.IfNotExists, ifNotExists)
	p.qualified(s.Type)
	p.write(" ")
	p.fields(s.Fields)
}

func (p *printer) fields(fields []FieldDefinition) {
	p.write("(")
	p.list(len(fields), ", ", func(i int) { p.field(fields[i]) })
	p.write(")")
}

func (p *printer) field(f FieldDefinition) {
	p.name(f.Name)
	p.write(" ")
	f.Type.print(p)
}

func (s *AlterType) print(p *printer) {
	p.write("ALTER TYPE ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.Type)
	s.Change.print(p)
}

func (c *AddField) print(p *printer) {
	p.write(" ADD ")
	p.when(c.IfNotExists, ifNotExists)
	p.field(c.Field)
}

func (c *AlterFieldType) print(p *printer) {
	p.write(" ALTER ")
	p.name(c.Field)
	p.write(" TYPE ")
	c.Type.print(p)
}

func (s *DropType) print(p *printer) {
	p.write("DROP TYPE ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.Type)
}

// String prints the statement.
func (s *CreateKeyspace) String() string { return text(s) }

// String prints the statement.
func (s *AlterKeyspace) String() string { return text(s) }

// String prints the statement.
func (s *DropKeyspace) String() string { return text(s) }

// String prints the statement.
func (s *CreateTable) String() string { return text(s) }

// String prints the statement.
func (s *CreateTableLike) String() string { return text(s) }

// String prints the statement.
func (s *AlterTable) String() string { return text(s) }

// String prints the statement.
func (s *DropTable) String() string { return text(s) }

// String prints the statement.
func (s *CreateType) String() string { return text(s) }

// String prints the statement.
func (s *AlterType) String() string { return text(s) }

// String prints the statement.
func (s *DropType) String() string { return text(s) }

package ast

func (s *CreateIndex) print(p *printer) {
	p.write("CREATE ")
	p.when(s.Custom, "CUSTOM ")
	p.write("INDEX ")
	p.when(s.IfNotExists, ifNotExists)
	if s.Index.Text != "" {
		p.name(s.Index)
		p.write(" ")
	}
	p.write("ON ")
	p.qualified(s.Table)
	p.write(" (")
	p.list(len(s.Targets), ", ", func(i int) { p.indexTarget(s.Targets[i]) })
	p.write(")")
	if s.Class != nil {
		p.write(" USING ")
		s.Class.print(p)
	}
	p.with(s.Properties)
}

func (p *printer) indexTarget(t IndexTarget) {
	if t.Kind == SimpleTarget {
		p.name(t.Column)
		return
	}
	p.write(t.Kind.keyword(), "(")
	p.name(t.Column)
	p.write(")")
}

func (k IndexTargetKind) keyword() string {
	switch k {
	case ValuesTarget:
		return "VALUES"
	case KeysTarget:
		return "KEYS"
	case EntriesTarget:
		return "ENTRIES"
	case FullTarget:
		return "FULL"
	}
	return ""
}

func (s *DropIndex) print(p *printer) {
	p.write("DROP INDEX ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.Index)
}

func (s *CreateMaterializedView) print(p *printer) {
	p.write("CREATE MATERIALIZED VIEW ")
	p.when(s.IfNotExists, ifNotExists)
	p.qualified(s.View)
	p.write(" AS SELECT ")
	p.selectors(s.Selectors)
	p.write(" FROM ")
	p.qualified(s.From)
	p.where(s.Where)
	p.write(" ")
	p.primaryKey(s.PrimaryKey)
	p.tableOptions(s.Options)
}

func (s *AlterMaterializedView) print(p *printer) {
	p.write("ALTER MATERIALIZED VIEW ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.View)
	p.with(s.Properties)
}

func (s *DropMaterializedView) print(p *printer) {
	p.write("DROP MATERIALIZED VIEW ")
	p.when(s.IfExists, ifExists)
	p.qualified(s.View)
}

func (s *CreateFunction) print(p *printer) {
	p.write("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.write("FUNCTION ")
	p.when(s.IfNotExists, ifNotExists)
	p.call(s.Function)
	p.fields(s.Parameters)
	if s.CalledOnNullInput {
		p.write(" CALLED")
	} else {
		p.write(" RETURNS NULL")
	}
	p.write(" ON NULL INPUT RETURNS ")
	s.Returns.print(p)
	p.write(" LANGUAGE ")
	p.name(s.Language)
	p.write(" AS ")
	p.string(s.Body)
}

func (s *DropFunction) print(p *printer) {
	p.write("DROP FUNCTION ")
	p.when(s.IfExists, ifExists)
	p.signature(s.Function, s.Parameters)
}

// signature appends the name of a function, with the types of its parameters unless they are nil.
func (p *printer) signature(function Qualified, parameters []*Type) {
	if parameters == nil {
		p.function(function)
		return
	}
	p.call(function)
	p.types(parameters)
}

func (s *CreateAggregate) print(p *printer) {
	p.write("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.write("AGGREGATE ")
	p.when(s.IfNotExists, ifNotExists)
	p.call(s.Aggregate)
	p.types(s.Parameters)
	p.write(" SFUNC ")
	p.function(Qualified{Name: s.StateFunction})
	p.write(" STYPE ")
	s.StateType.print(p)
	if s.FinalFunction.Text != "" {
		p.write(" FINALFUNC ")
		p.function(Qualified{Name: s.FinalFunction})
	}
	if s.InitCondition != nil {
		p.write(" INITCOND ")
		s.InitCondition.print(p)
	}
}

func (s *DropAggregate) print(p *printer) {
	p.write("DROP AGGREGATE ")
	p.when(s.IfExists, ifExists)
	p.signature(s.Aggregate, s.Parameters)
}

func (s *CreateTrigger) print(p *printer) {
	p.write("CREATE TRIGGER ")
	p.when(s.IfNotExists, ifNotExists)
	p.name(s.Trigger)
	p.write(" ON ")
	p.qualified(s.Table)
	p.write(" USING ")
	p.string(s.Class)
}

func (s *DropTrigger) print(p *printer) {
	p.write("DROP TRIGGER ")
	p.when(s.IfExists, ifExists)
	p.name(s.Trigger)
	p.write(" ON ")
	p.qualified(s.Table)
}

func (s *Describe) print(p *printer) {
	p.write("DESCRIBE ")
	p.when(s.Full, "FULL ")
	p.when(s.Only, "ONLY ")
	keyword := s.Kind.keyword()
	p.write(keyword)
	if s.Name.Name.Text != "" {
		p.when(keyword != "", " ")
		if s.Kind == DescribeFunction || s.Kind == DescribeAggregate {
			p.function(s.Name)
		} else {
			p.qualified(s.Name)
		}
	}
	p.when(s.WithInternals, " WITH INTERNALS")
}

func (k DescribeKind) keyword() string {
	switch k {
	case DescribeCluster:
		return "CLUSTER"
	case DescribeSchema:
		return "SCHEMA"
	case DescribeKeyspaces:
		return "KEYSPACES"
	case DescribeKeyspace:
		return "KEYSPACE"
	case DescribeTables:
		return "TABLES"
	case DescribeTable:
		return "TABLE"
	case DescribeIndex:
		return "INDEX"
	case DescribeMaterializedView:
		return "MATERIALIZED VIEW"
	case DescribeTypes:
		return "TYPES"
	case DescribeType:
		return "TYPE"
	case DescribeFunctions:
		return "FUNCTIONS"
	case DescribeFunction:
		return "FUNCTION"
	case DescribeAggregates:
		return "AGGREGATES"
	case DescribeAggregate:
		return "AGGREGATE"
	}
	return ""
}

// String prints the statement.
func (s *CreateIndex) String() string { return text(s) }

// String prints the statement.
func (s *DropIndex) String() string { return text(s) }

// String prints the statement.
func (s *CreateMaterializedView) String() string { return text(s) }

// String prints the statement.
func (s *AlterMaterializedView) String() string { return text(s) }

// String prints the statement.
func (s *DropMaterializedView) String() string { return text(s) }

// String prints the statement.
func (s *CreateFunction) String() string { return text(s) }

// String prints the statement.
func (s *DropFunction) String() string { return text(s) }

// String prints the statement.
func (s *CreateAggregate) String() string { return text(s) }

// String prints the statement.
func (s *DropAggregate) String() string { return text(s) }

// String prints the statement.
func (s *CreateTrigger) String() string { return text(s) }

// String prints the statement.
func (s *DropTrigger) String() string { return text(s) }

// String prints the statement.
func (s *Describe) String() string { return text(s) }

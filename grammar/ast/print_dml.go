package ast

func (s *Select) print(p *printer) {
	p.write("SELECT ")
	p.when(s.JSON, "JSON ")
	p.when(s.Distinct, "DISTINCT ")
	p.selectors(s.Selectors)
	p.write(" FROM ")
	p.qualified(s.From)
	p.where(s.Where)
	if len(s.GroupBy) > 0 {
		p.terms(" GROUP BY ", s.GroupBy, "")
	}
	if len(s.OrderBy) > 0 {
		p.write(" ORDER BY ")
		p.list(len(s.OrderBy), ", ", func(i int) { p.ordering(s.OrderBy[i]) })
	}
	if s.PerPartitionLimit != nil {
		p.write(" PER PARTITION LIMIT ")
		s.PerPartitionLimit.print(p)
	}
	if s.Limit != nil {
		p.write(" LIMIT ")
		s.Limit.print(p)
	}
	p.when(s.AllowFiltering, " ALLOW FILTERING")
}

func (p *printer) selectors(selectors []Selector) {
	p.list(len(selectors), ", ", func(i int) {
		selectors[i].Expression.print(p)
		if alias := selectors[i].Alias; alias.Text != "" {
			p.write(" AS ")
			p.name(alias)
		}
	})
}

func (p *printer) ordering(o Ordering) {
	p.name(o.Column)
	if o.ANN != nil {
		p.write(" ANN OF ")
		o.ANN.print(p)
	}
	p.when(o.Descending, " DESC")
}

func (u Using) print(p *printer) {
	p.list(len(u), "", func(i int) {
		word := " AND"
		if i == 0 {
			word = " USING"
		}
		p.write(word)
		if u[i].Kind == UsingTTL {
			p.write(" TTL ")
		} else {
			p.write(" TIMESTAMP ")
		}
		u[i].Value.print(p)
	})
}

func (s *Insert) print(p *printer) {
	p.write("INSERT INTO ")
	p.qualified(s.Table)
	p.write(" (")
	p.names(s.Columns)
	p.terms(") VALUES (", s.Values, ")")
	p.when(s.IfNotExists, " IF NOT EXISTS")
	s.Using.print(p)
}

func (s *InsertJSON) print(p *printer) {
	p.write("INSERT INTO ")
	p.qualified(s.Table)
	p.write(" JSON ")
	s.Value.print(p)
	p.when(s.DefaultUnset, " DEFAULT UNSET")
	p.when(s.IfNotExists, " IF NOT EXISTS")
	s.Using.print(p)
}

func (s *Update) print(p *printer) {
	p.write("UPDATE ")
	p.qualified(s.Table)
	s.Using.print(p)
	p.write(" SET ")
	p.list(len(s.Assignments), ", ", func(i int) { p.assignment(s.Assignments[i]) })
	p.where(s.Where)
	p.ifClause(s.IfExists, s.If)
}

func (p *printer) assignment(a Assignment) {
	a.Target.print(p)
	switch a.Kind {
	case Add:
		p.write(" += ")
	case Subtract:
		p.write(" -= ")
	default:
		p.write(" = ")
	}
	a.Value.print(p)
	if a.Kind == Prepend {
		p.write(" + ")
		a.Target.print(p)
	}
}

func (s *Delete) print(p *printer) {
	p.write("DELETE ")
	nodes(p, s.Targets, ", ")
	p.when(len(s.Targets) > 0, " ")
	p.write("FROM ")
	p.qualified(s.Table)
	s.Using.print(p)
	p.where(s.Where)
	p.ifClause(s.IfExists, s.If)
}

func (s *Batch) print(p *printer) {
	p.write("BEGIN ")
	switch s.Kind {
	case UnloggedBatch:
		p.write("UNLOGGED ")
	case CounterBatch:
		p.write("COUNTER ")
	}
	p.write("BATCH")
	s.Using.print(p)
	for _, statement := range s.Statements {
		p.write(" ")
		statement.print(p)
		p.write(";")
	}
	p.write(" APPLY BATCH")
}

func (s *Truncate) print(p *printer) {
	p.write("TRUNCATE TABLE ")
	p.qualified(s.Table)
}

func (s *Use) print(p *printer) {
	p.write("USE ")
	p.name(s.Keyspace)
}

func (s *Explain) print(p *printer) {
	p.write("EXPLAIN ")
	s.Statement.print(p)
}

// String prints the options, with a space before each.
func (u Using) String() string { return text(u) }

// String prints the statement.
func (s *Select) String() string { return text(s) }

// String prints the statement.
func (s *Insert) String() string { return text(s) }

// String prints the statement.
func (s *InsertJSON) String() string { return text(s) }

// String prints the statement.
func (s *Update) String() string { return text(s) }

// String prints the statement.
func (s *Delete) String() string { return text(s) }

// String prints the statement.
func (s *Batch) String() string { return text(s) }

// String prints the statement.
func (s *Truncate) String() string { return text(s) }

// String prints the statement.
func (s *Use) String() string { return text(s) }

// String prints the statement.
func (s *Explain) String() string { return text(s) }

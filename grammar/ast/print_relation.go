package ast

func (p *printer) where(relations []Relation) {
	if len(relations) > 0 {
		p.write(" WHERE ")
		nodes(p, relations, " AND ")
	}
}

// ifClause appends the conditions of an UPDATE or DELETE.
func (p *printer) ifClause(exists bool, conditions []Relation) {
	p.when(exists, " IF EXISTS")
	if len(conditions) > 0 {
		p.write(" IF ")
		nodes(p, conditions, " AND ")
	}
}

func (t *ColumnTuple) print(p *printer) {
	p.write("(")
	p.names(t.Columns)
	p.write(")")
}

func (t *Token) print(p *printer) {
	p.write("token(")
	p.names(t.Columns)
	p.write(")")
}

func (r *Comparison) print(p *printer) {
	r.Target.print(p)
	p.write(" ", r.Comparator.String(), " ")
	r.Value.print(p)
}

func (r *In) print(p *printer) {
	r.Target.print(p)
	p.when(r.Not, " NOT")
	p.write(" IN ")
	if r.Marker != nil {
		r.Marker.print(p)
		return
	}
	p.terms("(", r.Values, ")")
}

func (r *Between) print(p *printer) {
	r.Target.print(p)
	p.write(" BETWEEN ")
	r.Low.print(p)
	p.write(" AND ")
	r.High.print(p)
}

func (r *Contains) print(p *printer) {
	r.Column.print(p)
	p.when(r.Not, " NOT")
	p.write(" CONTAINS ")
	p.when(r.Key, "KEY ")
	r.Value.print(p)
}

func (r *IsNotNull) print(p *printer) {
	r.Column.print(p)
	p.write(" IS NOT NULL")
}

func (r *Match) print(p *printer) {
	r.Column.print(p)
	p.write(" : ")
	r.Value.print(p)
}

func (r *IndexExpression) print(p *printer) {
	p.write("expr(")
	p.name(r.Index)
	p.write(", ")
	r.Value.print(p)
	p.write(")")
}

// String prints the columns in parentheses.
func (t *ColumnTuple) String() string { return text(t) }

// String prints the call of token.
func (t *Token) String() string { return text(t) }

// String prints the relation.
func (r *Comparison) String() string { return text(r) }

// String prints the relation.
func (r *In) String() string { return text(r) }

// String prints the relation.
func (r *Between) String() string { return text(r) }

// String prints the relation.
func (r *Contains) String() string { return text(r) }

// String prints the relation.
func (r *IsNotNull) String() string { return text(r) }

// String prints the relation.
func (r *Match) String() string { return text(r) }

// String prints the relation.
func (r *IndexExpression) String() string { return text(r) }

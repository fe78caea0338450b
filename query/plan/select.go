package plan

import (
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Select reads rows.
type Select struct {
	Keyspace  *schema.Keyspace
	Table     *schema.Table
	Where     *Where
	Columns   []Spec // of the result
	Selectors []Selector
	Aggregate bool // the result has one row for each group of rows
	GroupBy   int  // how many columns of the primary key make a group; 0: all rows are one
	Impure    bool // a Source is needed
	Distinct  bool // one row for each partition
	Reversed  bool // each partition from its last row to its first
	Sort      []SortColumn
	StaticToo bool // partitions with static cells and no rows count as a row

	wildcard   bool // SELECT *
	aggregates []aggregateCall

	limit, perPartition Term
	markers             []Spec
}

// A SortColumn orders the rows of several partitions that were named by IN.
type SortColumn struct {
	Column     *schema.Column
	Descending bool
}

// Markers describes the bind markers.
func (s *Select) Markers() []Spec { return s.markers }

// IsScan reports whether the plan reads all partitions of a token range rather than named ones.
func (s *Select) IsScan() bool { return len(s.Where.partition) == 0 }

// IsPoint reports whether the plan reads at most one row of each partition, which it names.
func (s *Select) IsPoint() bool { return s.Where.isRow() && !s.Distinct }

// HasIn reports whether the plan may read several named partitions.
func (s *Select) HasIn() bool { return s.Where.hasIn() }

// Filters reports whether rows are read that may not be part of the result.
func (s *Select) Filters() bool { return len(s.Where.filters) > 0 }

// Limits returns LIMIT and PER PARTITION LIMIT; 0 means none.
func (s *Select) Limits(b *Binding) (limit, perPartition int, err error) {
	if perPartition, err = evalLimit(s.perPartition, b); err != nil {
		return 0, 0, err
	}
	limit, err = evalLimit(s.limit, b)
	return limit, perPartition, err
}

func evalLimit(t Term, b *Binding) (int, error) {
	if t == nil {
		return 0, nil
	}
	v, err := t.Eval(b)
	if err != nil || v.Unset {
		return 0, err
	}
	if len(v.Bytes) != 4 {
		return 0, schema.Invalid("Invalid null value of limit")
	}
	n := int(signed(v.Bytes))
	if n <= 0 {
		return 0, schema.Invalid("LIMIT must be strictly positive")
	}
	return n, nil
}

func (p *planner) selectStatement(s *ast.Select) (Plan, error) {
	t, err := p.table(s.From)
	if err != nil {
		return nil, err
	}
	p.aggregating = len(s.GroupBy) > 0
	out := &Select{Keyspace: p.schema.Keyspace(t.Keyspace), Table: t, Distinct: s.Distinct, markers: p.markers}
	if err := p.selectors(out, s.Selectors); err != nil {
		return nil, err
	}
	if out.Where, err = p.where(t, selecting, s.Where, s.AllowFiltering, false); err != nil {
		return nil, err
	}
	if err := p.groupBy(out, s.GroupBy); err != nil {
		return nil, err
	}
	if s.Distinct {
		if err := out.checkDistinct(); err != nil {
			return nil, err
		}
	}
	if err := p.limits(out, s); err != nil {
		return nil, err
	}
	out.StaticToo = len(t.Static) > 0 && !out.restrictsRows()
	if out.onlyStatic() && out.restrictsRows() {
		return nil, schema.Invalid("Cannot restrict clustering columns when selecting only static columns")
	}
	if err := p.orderBy(out, s.OrderBy); err != nil {
		return nil, err
	}
	if out.Where.unfiltered {
		return nil, schema.Invalid(needsFiltering)
	}
	if s.JSON {
		out.asJSON()
	}
	out.Impure = p.impure
	return out, nil
}

// onlyStatic reports whether the result is made of static columns, beside the partition key.
func (s *Select) onlyStatic() bool {
	static := false
	for i := range s.Selectors {
		for _, c := range s.Selectors[i].columns {
			static = static || c.Kind == schema.Static
			if c.Kind != schema.Static && c.Kind != schema.PartitionKey {
				return false
			}
		}
	}
	return static && !s.wildcard
}

// restrictsRows reports whether the WHERE clause says anything about clustering columns.
func (s *Select) restrictsRows() bool {
	for _, list := range [][]*condition{s.Where.clustering, s.Where.filters} {
		for _, c := range list {
			if c.columns[0].Kind == schema.Clustering {
				return true
			}
		}
	}
	return false
}

func (p *planner) selectors(out *Select, list []ast.Selector) error {
	if _, star := list[0].Expression.(*ast.Star); star {
		out.wildcard = true
		list = nil
		for c := range out.Table.Columns() {
			list = append(list, ast.Selector{Expression: &ast.Column{Name: ast.Name{Text: c.Name}}})
		}
	}
	p.scope = out.Table
	defer func() { p.scope = nil }()
	for _, item := range list {
		p.aggregating = p.aggregating || hasAggregate(item.Expression)
	}
	for _, item := range list {
		selector, result, err := p.selector(out.Table, item.Expression)
		if err != nil {
			return err
		}
		if item.Alias.Text != "" {
			result.Name = item.Alias.Text
		}
		out.Selectors = append(out.Selectors, selector)
		out.Columns = append(out.Columns, result)
	}
	out.Aggregate, out.aggregates = p.aggregating, p.aggregates
	return nil
}

func (s *Select) checkDistinct() error {
	requested := map[*schema.Column]bool{}
	for _, sel := range s.Selectors {
		for _, c := range sel.columns {
			if c.Kind != schema.PartitionKey && c.Kind != schema.Static {
				return schema.Invalid("SELECT DISTINCT queries must only request partition key columns and/or static columns (not %s)", c.Name)
			}
			requested[c] = true
		}
	}
	for _, list := range [][]*condition{s.Where.clustering, s.Where.filters} {
		for _, c := range list {
			if k := c.columns[0].Kind; k != schema.PartitionKey && k != schema.Static {
				return schema.Invalid("SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.")
			}
		}
	}
	if s.IsScan() || s.HasIn() {
		for _, c := range s.Table.Partition {
			if !requested[c] {
				return schema.Invalid("SELECT DISTINCT queries must request all the partition key columns (missing %s)", c.Name)
			}
		}
	}
	return nil
}

func (p *planner) limits(out *Select, s *ast.Select) error {
	receiver := Spec{Keyspace: out.Table.Keyspace, Table: out.Table.Name, Name: "[limit]", Type: cqltype.TypeInt}
	var err error
	if s.PerPartitionLimit != nil {
		if s.Distinct {
			return schema.Invalid("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries")
		}
		if out.Aggregate && len(s.GroupBy) == 0 {
			return schema.Invalid("PER PARTITION LIMIT is not allowed with aggregate queries.")
		}
		per := receiver
		per.Name = "[per_partition_limit]"
		if out.perPartition, err = p.term(s.PerPartitionLimit, per); err != nil {
			return err
		}
	}
	if s.Limit != nil {
		if out.limit, err = p.term(s.Limit, receiver); err != nil {
			return err
		}
	}
	for _, t := range []Term{out.limit, out.perPartition} { // a constant is judged at once
		if c, ok := t.(*constant); ok {
			if _, err := evalLimit(c, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// orderBy decides in which direction partitions are read, and whether their rows must be sorted
// together.
func (p *planner) orderBy(out *Select, orderings []ast.Ordering) error {
	if len(orderings) == 0 {
		return nil
	}
	for _, o := range orderings {
		if o.ANN != nil {
			return schema.Invalid("ANN ordering by vector requires the column to be indexed")
		}
	}
	if out.IsScan() {
		return schema.Invalid("ORDER BY is only supported when the partition key is restricted by an EQ or an IN.")
	}
	sort, err := sortColumns(out.Table, orderings)
	if err != nil {
		return err
	}
	next := 0
	for i, o := range sort {
		for next < o.Column.Position && out.Where.isFixed(out.Table.Clustering[next]) {
			next++
		}
		if o.Column.Position != next {
			return schema.Invalid("Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY")
		}
		next++
		reversed := o.Descending != o.Column.Descending
		if i > 0 && reversed != out.Reversed {
			return schema.Invalid("Unsupported order by relation")
		}
		out.Reversed = reversed
	}
	if out.HasIn() {
		out.Sort = sort
	}
	return nil
}

// sortColumns resolves the columns of ORDER BY. Of several orderings by one column the last counts.
func sortColumns(t *schema.Table, orderings []ast.Ordering) ([]SortColumn, error) {
	var out []SortColumn
	for _, o := range orderings {
		c, err := column(t, o.Column)
		if err != nil {
			return nil, err
		}
		if c.Kind != schema.Clustering {
			return nil, schema.Invalid("Order by is currently only supported on the clustered columns of the PRIMARY KEY, got %s", c.Name)
		}
		if at := slices.IndexFunc(out, func(s SortColumn) bool { return s.Column == c }); at >= 0 {
			out[at].Descending = o.Descending
			continue
		}
		out = append(out, SortColumn{Column: c, Descending: o.Descending})
	}
	return out, nil
}

func (s *Select) String() string {
	var out printer
	switch {
	case s.Distinct:
		out.line("Read partitions of %s", s.Table)
	case s.IsPoint():
		out.line("Read rows of %s", s.Table)
	default:
		out.line("Read %s", s.Table)
	}
	s.Where.print(&out)
	if s.Reversed {
		out.line("  order: reversed")
	}
	if len(s.Sort) > 0 {
		parts := make([]string, len(s.Sort))
		for i, c := range s.Sort {
			parts[i] = c.Column.Name
		}
		out.line("  sort in memory by %s", strings.Join(parts, ", "))
	}
	if s.perPartition != nil {
		out.line("  limit for each partition: %s", s.perPartition)
	}
	if s.limit != nil {
		out.line("  limit: %s", s.limit)
	}
	parts := make([]string, len(s.Selectors))
	for i := range s.Selectors {
		parts[i] = s.Selectors[i].text
	}
	if s.GroupBy > 0 {
		var columns []string
		for _, c := range slices.Concat(s.Table.Partition, s.Table.Clustering)[:s.GroupBy] {
			columns = append(columns, c.Name)
		}
		out.line("  group by %s", strings.Join(columns, ", "))
	}
	if s.Aggregate {
		out.line("  aggregate: %s", strings.Join(parts, ", "))
	} else {
		out.line("  select: %s", strings.Join(parts, ", "))
	}
	return out.String()
}

package plan

import (
	"slices"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// groupBy plans GROUP BY: columns of the primary key in its order, of which those may be left out that the WHERE
// clause gives a single value.
func (p *planner) groupBy(out *Select, list []ast.Term) error {
	key := slices.Concat(out.Table.Partition, out.Table.Clustering)
	next := 0
	for _, item := range list {
		name, ok := item.(*ast.Column)
		if !ok {
			return schema.Invalid("GROUP BY of other than columns is not supported yet (%s)", item)
		}
		c, err := column(out.Table, name.Name)
		if err != nil {
			return err
		}
		if !c.IsPrimaryKey() {
			return schema.Invalid("Group by is currently only supported on the columns of the PRIMARY KEY, got %s", c.Name)
		}
		at := slices.Index(key, c)
		for next < at && out.Where.isFixed(key[next]) {
			next++
		}
		if at != next {
			return schema.Invalid("Group by currently only support groups of columns following their declared order in the PRIMARY KEY")
		}
		next++
	}
	switch n := len(out.Table.Partition); {
	case next > 0 && next < n:
		return schema.Invalid("Group by is not supported on only a part of the partition key")
	case next > n && out.Distinct:
		return schema.Invalid("Grouping on clustering columns is not allowed for SELECT DISTINCT queries")
	}
	out.GroupBy = next
	return nil
}

// isFixed reports whether the clause gives a column of the primary key a single value.
func (w *Where) isFixed(c *schema.Column) bool {
	for _, list := range [][]*condition{w.partition, w.clustering} {
		for _, cond := range list {
			if cond.op == opEqual && slices.Contains(cond.columns, c) {
				return true
			}
		}
	}
	return false
}

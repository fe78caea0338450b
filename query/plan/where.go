package plan

import (
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// A Where is a WHERE clause taken apart: which partitions, which rows of them, and what is left
// to be checked on each row.
type Where struct {
	table      *schema.Table
	kind       statementKind
	unfiltered bool         // rows must be filtered, which the statement does not allow
	partition  []*condition // = or IN for every partition key column; empty if partitions are scanned
	tokens     []*condition // bounds on the token
	clustering []*condition // on a prefix of the clustering key: = and IN, then slices of one more column or tuple
	filters    []*condition // everything else
}

// statementKind is the kind of statement a WHERE clause belongs to.
type statementKind uint8

const (
	selecting statementKind = iota
	updating
	deleting
)

func (k statementKind) String() string {
	return [...]string{"SELECT", "UPDATE", "DELETE"}[k]
}

const needsFiltering = "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. " +
	"If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"

// where resolves and sorts the relations of a statement. staticOnly says that the statement is
// only about static columns.
func (p *planner) where(t *schema.Table, kind statementKind, relations []ast.Relation, filtering, staticOnly bool) (*Where, error) {
	w := &Where{table: t, kind: kind}
	filtering = filtering || t.Virtual // which are small
	var partition, clustering, others []*condition
	for _, r := range relations {
		c, err := p.condition(t, kind, r)
		if err != nil {
			return nil, err
		}
		switch {
		case c.token:
			w.tokens = append(w.tokens, c)
		case c.columns[0].Kind == schema.PartitionKey:
			partition = append(partition, c)
		case c.columns[0].Kind == schema.Clustering:
			clustering = append(clustering, c)
		default:
			others = append(others, c)
		}
	}
	for _, list := range [][]*condition{partition, w.tokens, clustering, others} {
		if err := checkCombinations(list); err != nil {
			return nil, err
		}
	}
	if len(w.tokens) > 0 && kind != selecting {
		return nil, schema.Invalid("The token function cannot be used in WHERE clauses for %s statements", kind)
	}
	if err := w.takePartition(kind, partition, filtering); err != nil {
		return nil, err
	}
	if err := w.takeClustering(kind, clustering, filtering, staticOnly); err != nil {
		return nil, err
	}
	if len(others) > 0 {
		if kind != selecting {
			return nil, schema.Invalid("Non PRIMARY KEY columns found in where clause: %s ", namesOf(others))
		}
		w.unfiltered = w.unfiltered || !filtering
		w.filters = append(w.filters, others...)
	}
	return w, nil
}

// namesOf lists the columns of several conditions once each.
func namesOf(list []*condition) string {
	var out []string
	seen := map[string]bool{}
	for _, c := range list {
		for _, col := range c.columns {
			if !seen[col.Name] {
				seen[col.Name] = true
				out = append(out, col.Name)
			}
		}
	}
	return strings.Join(out, ", ")
}

// checkCombinations refuses several conditions on one column that do not go together.
func checkCombinations(list []*condition) error {
	for i, a := range list {
		for _, b := range list[:i] {
			if err := checkPair(b, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPair refuses a condition b after a condition a that do not go together.
func checkPair(a, b *condition) error {
	shared := sharedColumns(a, b)
	if len(shared) == 0 {
		return nil
	}
	what := joinNames(shared, " ,")
	switch {
	case a.op == opEqual:
		return schema.Invalid("%s cannot be restricted by more than one relation if it includes an Equal", what)
	case a.op == opIn:
		return schema.Invalid("%s cannot be restricted by more than one relation if it includes a IN", what)
	case a.op.isSlice() && b.token && !b.op.isSlice():
		return schema.Invalid("Columns \"%s\" cannot be restricted by both an equality and an inequality relation", what)
	case a.op.isSlice() && !b.op.isSlice():
		return schema.Invalid("Column \"%s\" cannot be restricted by both an equality and an inequality relation", what)
	case !a.op.isSlice() && (b.op.isSlice() || b.op == opEqual || b.op == opIn):
		return schema.Invalid("Collection column %s can only be restricted by CONTAINS, CONTAINS KEY, or map-entry equality", what)
	case !a.op.isSlice():
		return nil // several CONTAINS
	case a.columns[0] != b.columns[0]:
		further := a.columns[0]
		if b.columns[0].Position > further.Position {
			further = b.columns[0]
		}
		return schema.Invalid("Column \"%s\" cannot be restricted by two inequalities not starting with the same column", further.Name)
	case a.op.isLower() == b.op.isLower():
		bound := "end"
		if a.op.isLower() {
			bound = "start"
		}
		return schema.Invalid("More than one restriction was found for the %s bound on %s", bound, what)
	}
	return nil
}

// sharedColumns returns the columns that two conditions are both about.
func sharedColumns(a, b *condition) []*schema.Column {
	var out []*schema.Column
	for _, c := range a.columns {
		if slices.Contains(b.columns, c) {
			out = append(out, c)
		}
	}
	return out
}

// takePartition decides whether partitions are named or scanned.
func (w *Where) takePartition(kind statementKind, conditions []*condition, filtering bool) error {
	byColumn := make([]*condition, len(w.table.Partition))
	direct := len(conditions) == len(byColumn)
	for _, c := range conditions {
		byColumn[c.columns[0].Position] = c
		direct = direct && (c.op == opEqual || c.op == opIn)
	}
	for _, c := range byColumn {
		direct = direct && c != nil
	}
	if direct {
		w.partition = byColumn
		return nil
	}
	if kind != selecting {
		return w.refusePartition(kind, byColumn)
	}
	if len(conditions) == 0 {
		return nil
	}
	if !filtering {
		return schema.Invalid(needsFiltering)
	}
	w.filters = append(w.filters, conditions...)
	return nil
}

func (w *Where) refusePartition(kind statementKind, byColumn []*condition) error {
	var missing []string
	for i, c := range byColumn {
		if c == nil {
			missing = append(missing, w.table.Partition[i].Name)
		}
	}
	if len(missing) > 0 {
		return schema.Invalid("Some partition key parts are missing: %s", strings.Join(missing, ", "))
	}
	return schema.Invalid("Only EQ and IN relation are supported on the partition key (unless you use the token() function) for %s statements", kind)
}

// takeClustering takes the conditions that select a contiguous part of a partition, or several;
// the rest become filters if that is allowed.
func (w *Where) takeClustering(kind statementKind, conditions []*condition, filtering, staticOnly bool) error {
	if staticOnly && len(conditions) > 0 && kind != selecting {
		return schema.Invalid("Invalid restrictions on clustering columns since the %s statement modifies only static columns", kind)
	}
	if kind == selecting && len(w.partition) == 0 && len(conditions) > 0 { // what is scanned has to be filtered
		w.unfiltered = w.unfiltered || !filtering
		w.filters = append(w.filters, conditions...)
		return nil
	}
	left := conditions
	for at := 0; at < len(w.table.Clustering); {
		var next []*condition
		var rest []*condition
		for _, c := range left {
			if c.columns[0].Position == at && c.op != opContains && c.op != opContainsKey {
				next = append(next, c)
			} else {
				rest = append(rest, c)
			}
		}
		if len(next) == 0 {
			break
		}
		w.clustering = append(w.clustering, next...)
		left = rest
		if next[0].op.isSlice() {
			break
		}
		at += len(next[0].columns)
	}
	if kind == updating || kind == deleting {
		if err := w.checkModified(kind, left, staticOnly); err != nil {
			return err
		}
	}
	if len(left) == 0 {
		return nil
	}
	if kind != selecting || !filtering {
		return w.refuseClustering(left)
	}
	w.filters = append(w.filters, left...)
	return nil
}

// checkModified refuses what an UPDATE or DELETE cannot do.
func (w *Where) checkModified(kind statementKind, left []*condition, staticOnly bool) error {
	if kind == deleting {
		return nil
	}
	restricted := map[int]bool{}
	for _, list := range [][]*condition{w.clustering, left} {
		for _, c := range list {
			if c.op.isSlice() {
				return schema.Invalid("Slice restrictions are not supported on the clustering columns in %s statements", kind)
			}
			for _, col := range c.columns {
				restricted[col.Position] = true
			}
		}
	}
	var missing []string
	for _, c := range w.table.Clustering {
		if !restricted[c.Position] {
			missing = append(missing, c.Name)
		}
	}
	if len(missing) > 0 && !staticOnly {
		return schema.Invalid("Some clustering keys are missing: %s", strings.Join(missing, ", "))
	}
	return nil
}

// refuseClustering says why a condition on the clustering key cannot be used without filtering.
func (w *Where) refuseClustering(left []*condition) error {
	for _, c := range left {
		if c.op == opContains || c.op == opContainsKey {
			return schema.Invalid("Clustering columns can only be restricted with CONTAINS with a secondary index or filtering")
		}
	}
	first := left[0]
	for _, c := range left {
		if c.columns[0].Position < first.columns[0].Position {
			first = c
		}
	}
	if n := len(w.clustering); n > 0 && w.clustering[n-1].op.isSlice() {
		return schema.Invalid("Clustering column \"%s\" cannot be restricted (preceding column \"%s\" is restricted by a non-EQ relation)",
			first.columns[0].Name, w.clustering[n-1].columns[0].Name)
	}
	at := 0
	for _, c := range w.clustering {
		at += len(c.columns)
	}
	return schema.Invalid("PRIMARY KEY column \"%s\" cannot be restricted as preceding column \"%s\" is not restricted",
		first.columns[0].Name, w.table.Clustering[at].Name)
}

// isRow reports whether the clause names a single row in each partition: every clustering column by =.
func (w *Where) isRow() bool {
	for _, c := range w.clustering {
		if c.op != opEqual {
			return false
		}
	}
	return w.isPoint()
}

// isPoint reports whether the clause names single rows: every column of the primary key by = or IN.
func (w *Where) isPoint() bool {
	columns := 0
	for _, c := range w.clustering {
		if c.op.isSlice() {
			return false
		}
		columns += len(c.columns)
	}
	return len(w.partition) > 0 && columns == len(w.table.Clustering)
}

// hasIn reports whether more than one partition may be named.
func (w *Where) hasIn() bool {
	for _, c := range w.partition {
		if c.op == opIn {
			return true
		}
	}
	return false
}

func (w *Where) print(out *printer) {
	if len(w.partition) > 0 {
		out.line("  partition: %s", join(append(slices.Clone(w.partition), w.tokens...)))
	} else if len(w.tokens) > 0 {
		out.line("  scan of a token range: %s", join(w.tokens))
	} else {
		out.line("  scan of all partitions")
	}
	if len(w.clustering) > 0 {
		kind := "slice"
		if w.isPoint() {
			kind = "row"
		}
		out.line("  %s: %s", kind, join(w.clustering))
	}
	if len(w.filters) > 0 {
		out.line("  filter: %s", join(w.filters))
	}
}

func join(list []*condition) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = c.String()
	}
	return strings.Join(parts, " AND ")
}

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// An op is how a condition compares.
type op uint8

const (
	opEqual op = iota + 1
	opIn
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual
	opContains
	opContainsKey
	opEntry // m[key] = value
)

var opNames = map[op]string{opEqual: "=", opIn: "IN", opLess: "<", opLessOrEqual: "<=", opGreater: ">",
	opGreaterOrEqual: ">=", opContains: "CONTAINS", opContainsKey: "CONTAINS KEY", opEntry: "="}

func (o op) isSlice() bool { return o >= opLess && o <= opGreaterOrEqual }
func (o op) isLower() bool { return o == opGreater || o == opGreaterOrEqual }
func (o op) inclusive() bool {
	return o == opLessOrEqual || o == opGreaterOrEqual
}

// A condition is one relation of a WHERE clause with its names resolved.
type condition struct {
	columns []*schema.Column // several for tuples and tokens
	op      op
	token   bool      // on the token of columns, the partition key
	tuple   bool      // written as a tuple
	value   operand   // for all but opIn
	list    []operand // for opIn, unless marker is set
	marker  Term      // for opIn: a list of all values
	key     Term      // for opEntry
}

// An operand is a value for each column of a condition: one term for each, or one term, a bind
// marker, that is a tuple of them.
type operand struct {
	terms []Term
	whole Term
}

func (o *operand) String() string {
	if o.whole != nil {
		return o.whole.String()
	}
	parts := make([]string, len(o.terms))
	for i, t := range o.terms {
		parts[i] = t.String()
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// names lists the columns as error messages do.
func names(columns []*schema.Column) string { return joinNames(columns, ", ") }

func joinNames(columns []*schema.Column, separator string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.Name
	}
	return strings.Join(parts, separator)
}

func (c *condition) String() string {
	left := names(c.columns)
	switch {
	case c.token:
		left = "token(" + left + ")"
	case c.tuple:
		left = "(" + left + ")"
	case c.op == opEntry:
		left += "[" + c.key.String() + "]"
	}
	right := ""
	switch {
	case c.op != opIn:
		right = c.value.String()
	case c.marker != nil:
		right = c.marker.String()
	default:
		parts := make([]string, len(c.list))
		for i := range c.list {
			parts[i] = c.list[i].String()
		}
		right = "(" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%s %s %s", left, opNames[c.op], right)
}

// condition resolves one relation.
func (p *planner) condition(t *schema.Table, kind statementKind, relation ast.Relation) (*condition, error) {
	switch r := relation.(type) {
	case *ast.Comparison:
		return p.comparison(t, r)
	case *ast.In:
		return p.in(t, r)
	case *ast.Contains:
		if kind != selecting {
			return nil, schema.Invalid("Cannot use %s with %s", kind, opNames[containsOp(r)])
		}
		return p.contains(t, r)
	case *ast.IsNotNull:
		return nil, schema.Invalid("Unsupported restriction: %s", relation)
	case *ast.Match:
		return nil, schema.Invalid("Secondary indexes are not supported yet (%s)", relation)
	case *ast.IndexExpression:
		return nil, schema.Invalid("Index expressions are not supported yet (%s)", relation)
	default:
		return nil, schema.Invalid("Unsupported restriction: %s", relation)
	}
}

var comparators = map[ast.Comparator]op{ast.Equal: opEqual, ast.Less: opLess, ast.LessOrEqual: opLessOrEqual,
	ast.Greater: opGreater, ast.GreaterOrEqual: opGreaterOrEqual}

func (p *planner) comparison(t *schema.Table, r *ast.Comparison) (*condition, error) {
	operator, ok := comparators[r.Comparator]
	switch target := r.Target.(type) {
	case *ast.Column:
		col, err := column(t, target.Name)
		if err != nil {
			return nil, err
		}
		if r.Comparator == ast.NotEqual {
			return nil, unsupportedRelation(r)
		}
		if ok {
			if err := checkComparable(col, operator); err != nil {
				return nil, err
			}
		}
		value, err := p.term(r.Value, spec(t, col))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, schema.Invalid("LIKE restriction is only supported on properly indexed columns. %s is not valid.", r)
		}
		return &condition{columns: []*schema.Column{col}, op: operator, value: operand{terms: []Term{value}}}, nil
	case *ast.Token:
		if !ok {
			return nil, unsupportedRelation(r)
		}
		return p.tokenComparison(t, target, operator, r.Value)
	case *ast.ColumnTuple:
		if !ok {
			return nil, unsupportedRelation(r)
		}
		columns, err := p.tupleColumns(t, target, r)
		if err != nil {
			return nil, err
		}
		value, err := p.tupleOperand(t, columns, r.Value, "")
		if err != nil {
			return nil, err
		}
		return &condition{columns: columns, op: operator, tuple: true, value: value}, nil
	case *ast.Element:
		return p.entry(t, target, r)
	default:
		return nil, schema.Invalid("Unsupported restriction: %s", r)
	}
}

func unsupportedRelation(r *ast.Comparison) error {
	return schema.Invalid("Unsupported \"%s\" relation: %s", r.Comparator, r)
}

// checkComparable refuses operators that a column's type does not have.
func checkComparable(c *schema.Column, o op) error {
	if c.Type.Kind() == cqltype.KindDuration && o.isSlice() {
		return schema.Invalid("Slice restrictions are not supported on duration columns")
	}
	if c.Type.Contains(cqltype.KindDuration) && o.isSlice() {
		what := map[bool]string{true: "tuples", false: "collections"}[c.Type.Kind() == cqltype.KindTuple]
		if c.Type.Kind() == cqltype.KindUDT {
			what = "UDTs"
		}
		return schema.Invalid("Slice restrictions are not supported on %s containing durations", what)
	}
	if !c.Type.IsMultiCell() {
		return nil
	}
	if c.Type.Kind() == cqltype.KindUDT {
		return schema.Invalid("Non-frozen UDT column '%s' (%s) cannot be restricted by any relation", c.Name, c.Type)
	}
	if o == opIn {
		return schema.Invalid("Collection column '%s' (%s) cannot be restricted by a 'IN' relation", c.Name, c.Type)
	}
	return schema.Invalid("Collection column '%s' (%s) cannot be restricted by a '%s' relation", c.Name, c.Type, opNames[o])
}

func (p *planner) tokenComparison(t *schema.Table, target *ast.Token, operator op, value ast.Term) (*condition, error) {
	columns, err := tokenColumns(t, target)
	if err != nil {
		return nil, err
	}
	receiver := Spec{Keyspace: t.Keyspace, Table: t.Name, Name: "partition key token", Type: cqltype.TypeBigint}
	term, err := p.tokenValue(t, value, receiver)
	if err != nil {
		return nil, err
	}
	return &condition{columns: columns, op: operator, token: true, value: operand{terms: []Term{term}}}, nil
}

// tokenColumns resolves the arguments of token() on the left side: the partition key.
func tokenColumns(t *schema.Table, target *ast.Token) ([]*schema.Column, error) {
	columns := make([]*schema.Column, len(target.Columns))
	for i, n := range target.Columns {
		c, err := column(t, n)
		if err != nil {
			return nil, err
		}
		columns[i] = c
	}
	if len(columns) > len(t.Partition) {
		return nil, schema.Invalid("The token() function must contains only partition key components")
	}
	if len(columns) < len(t.Partition) || slices.ContainsFunc(columns, func(c *schema.Column) bool { return c.Kind != schema.PartitionKey }) {
		return nil, schema.Invalid("The token() function must be applied to all partition key components or none of them")
	}
	if !slices.Equal(columns, t.Partition) {
		return nil, schema.Invalid("The token function arguments must be in the partition key order: %s", names(t.Partition))
	}
	return columns, nil
}

// tokenValue plans the right side of a token relation: a number, a marker, or token(...) of values.
func (p *planner) tokenValue(t *schema.Table, value ast.Term, receiver Spec) (Term, error) {
	call, ok := value.(*ast.Call)
	if !ok || call.Function.Name.Text != "token" {
		return p.term(value, receiver)
	}
	return p.tokenCall(t, call)
}

func (p *planner) tupleColumns(t *schema.Table, target *ast.ColumnTuple, r ast.Relation) ([]*schema.Column, error) {
	columns := make([]*schema.Column, 0, len(target.Columns))
	for i, n := range target.Columns {
		c, err := column(t, n)
		if err != nil {
			return nil, err
		}
		if c.Kind != schema.Clustering {
			return nil, schema.Invalid("Multi-column relations can only be applied to clustering columns but was applied to: %s", c.Name)
		}
		for _, other := range columns {
			if other == c {
				return nil, schema.Invalid("Column \"%s\" appeared twice in a relation: %s", c.Name, r)
			}
		}
		if i > 0 && c.Position != columns[i-1].Position+1 {
			return nil, schema.Invalid("Clustering columns must appear in the PRIMARY KEY order in multi-column relations: %s", r)
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// tupleOperand plans a tuple of values for columns, or a marker for all of them. what goes around
// the name of the marker.
func (p *planner) tupleOperand(t *schema.Table, columns []*schema.Column, value ast.Term, what string) (operand, error) {
	types := make([]*cqltype.Type, len(columns))
	for i, c := range columns {
		types[i] = c.Type
	}
	tuple, ok := value.(*ast.Tuple)
	if !ok {
		m, ok := value.(*ast.Marker)
		if !ok {
			return operand{}, schema.Invalid("Invalid value for the columns (%s): %s", names(columns), value)
		}
		typ, err := cqltype.TupleOf(types...)
		if err != nil {
			return operand{}, schema.Invalid("%s", err)
		}
		name := "(" + joinNames(columns, ",") + ")"
		if what != "" {
			name = what + name
		}
		whole := p.mark(m, Spec{Keyspace: t.Keyspace, Table: t.Name, Name: name, Type: typ, unpacked: true})
		return operand{whole: whole}, nil
	}
	if len(tuple.Elements) != len(columns) {
		return operand{}, schema.Invalid("Expected %d elements in value tuple, but got %d: %s", len(columns), len(tuple.Elements), tuple)
	}
	o := operand{terms: make([]Term, len(columns))}
	for i, e := range tuple.Elements {
		var err error
		if o.terms[i], err = p.term(e, spec(t, columns[i])); err != nil {
			return operand{}, err
		}
	}
	return o, nil
}

func (p *planner) in(t *schema.Table, r *ast.In) (*condition, error) {
	if r.Not {
		return nil, schema.Invalid("Unsupported restriction: %s", r)
	}
	switch target := r.Target.(type) {
	case *ast.Column:
		col, err := column(t, target.Name)
		if err != nil {
			return nil, err
		}
		if err := checkComparable(col, opIn); err != nil {
			return nil, err
		}
		c := &condition{columns: []*schema.Column{col}, op: opIn}
		if r.Marker != nil {
			s := part(spec(t, col), "in", nil)
			s.unpacked = true
			if s.Type, err = cqltype.ListOf(col.Type.Frozen()); err != nil {
				return nil, schema.Invalid("%s", err)
			}
			c.marker = p.mark(r.Marker, s)
			return c, nil
		}
		for _, v := range r.Values {
			term, err := p.term(v, spec(t, col))
			if err != nil {
				return nil, err
			}
			c.list = append(c.list, operand{terms: []Term{term}})
		}
		return c.simplify(), nil
	case *ast.ColumnTuple:
		return p.tupleIn(t, target, r)
	case *ast.Token:
		return nil, schema.Invalid("IN cannot be used with the token function")
	default:
		return nil, schema.Invalid("Unsupported restriction: %s", r)
	}
}

func (p *planner) tupleIn(t *schema.Table, target *ast.ColumnTuple, r *ast.In) (*condition, error) {
	columns, err := p.tupleColumns(t, target, r)
	if err != nil {
		return nil, err
	}
	c := &condition{columns: columns, op: opIn, tuple: true}
	if r.Marker != nil {
		o, err := p.tupleOperand(t, columns, r.Marker, "in")
		if err != nil {
			return nil, err
		}
		s := p.markers[r.Marker.Index]
		if s.Type, err = cqltype.ListOf(s.Type); err != nil {
			return nil, schema.Invalid("%s", err)
		}
		p.markers[r.Marker.Index] = s
		c.marker = o.whole
		return c, nil
	}
	for _, v := range r.Values {
		o, err := p.tupleOperand(t, columns, v, "")
		if err != nil {
			return nil, err
		}
		c.list = append(c.list, o)
	}
	return c.simplify(), nil
}

// simplify makes IN of a single value what it is: an equality.
func (c *condition) simplify() *condition {
	if len(c.list) == 1 {
		c.op, c.value, c.list = opEqual, c.list[0], nil
	}
	return c
}

func containsOp(r *ast.Contains) op {
	if r.Key {
		return opContainsKey
	}
	return opContains
}

func (p *planner) contains(t *schema.Table, r *ast.Contains) (*condition, error) {
	col, err := column(t, r.Column.Name)
	if err != nil {
		return nil, err
	}
	if r.Not {
		return nil, schema.Invalid("Unsupported restriction: %s", r)
	}
	kind := col.Type.Kind()
	c := &condition{columns: []*schema.Column{col}, op: opContains}
	receiver := part(spec(t, col), "value", nil)
	switch {
	case r.Key && kind != cqltype.KindMap:
		return nil, schema.Invalid("Cannot use CONTAINS KEY on non-map column %s", col.Name)
	case r.Key:
		c.op, receiver = opContainsKey, part(spec(t, col), "key", col.Type.KeyType())
	case kind == cqltype.KindMap:
		receiver.Type = col.Type.ValueType()
	case kind == cqltype.KindList || kind == cqltype.KindSet:
		receiver.Type = col.Type.ElementType()
	default:
		return nil, schema.Invalid("Cannot use CONTAINS on non-collection column %s", col.Name)
	}
	value, err := p.term(r.Value, receiver)
	if err != nil {
		return nil, err
	}
	c.value = operand{terms: []Term{value}}
	return c, nil
}

// entry resolves m[key] = value.
func (p *planner) entry(t *schema.Table, target *ast.Element, r *ast.Comparison) (*condition, error) {
	base, ok := target.Operand.(*ast.Column)
	if !ok {
		return nil, schema.Invalid("Unsupported restriction: %s", r)
	}
	col, err := column(t, base.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case col.Type.Kind() == cqltype.KindList:
		return nil, schema.Invalid("Indexes on list entries (%s[index] = value) are not currently supported.", col.Name)
	case col.Type.Kind() != cqltype.KindMap:
		return nil, schema.Invalid("Column %s cannot be used as a map", col.Name)
	case !col.Type.IsMultiCell():
		return nil, schema.Invalid("Map-entry equality predicates on frozen map column %s are not supported", col.Name)
	case r.Comparator != ast.Equal:
		return nil, schema.Invalid("Only EQ relations are supported on map entries")
	}
	key, err := p.term(target.Key, part(spec(t, col), "key", col.Type.KeyType()))
	if err != nil {
		return nil, err
	}
	value, err := p.term(r.Value, part(spec(t, col), "value", col.Type.ValueType()))
	if err != nil {
		return nil, err
	}
	return &condition{columns: []*schema.Column{col}, op: opEntry, key: key, value: operand{terms: []Term{value}}}, nil
}

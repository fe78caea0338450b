package plan

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A function is one signature of a native function. Functions whose types depend on their arguments are
// made for each call.
type function struct {
	name      string // without the keyspace, which is system
	arguments []*cqltype.Type
	result    *cqltype.Type
	operator  ast.Operator // of arithmetic; 0 for functions with a name
	impure    bool         // the result is another each time

	// eval computes the result; nil is null. What it returns may be part of an argument.
	eval func(b *Binding, arguments [][]byte) ([]byte, error)
	// aggregate is set, and eval is not, for functions of many rows. Neither is if the function is not supported yet.
	aggregate func() aggregator
}

// String returns the signature, as Cassandra shows it.
func (f *function) String() string {
	return "system." + f.name + " : (" + joinTypes(f.arguments) + ") -> " + f.result.String()
}

func joinTypes(types []*cqltype.Type) string {
	parts := make([]string, len(types))
	for i, t := range types {
		parts[i] = t.String()
	}
	return strings.Join(parts, ", ")
}

// argument describes argument i.
func (f *function) argument(i int, receiver Spec) Spec {
	return Spec{Keyspace: receiver.Keyspace, Table: receiver.Table, Name: fmt.Sprintf("arg%d(system.%s)", i, f.name), Type: f.arguments[i]}
}

// A call is a function with terms as its arguments.
type call struct {
	function  *function
	arguments []Term
}

// Eval calls the function.
func (c *call) Eval(b *Binding) (Value, error) {
	arguments := make([][]byte, len(c.arguments))
	for i, a := range c.arguments {
		v, err := a.Eval(b)
		if err != nil {
			return v, err
		}
		if v.Unset {
			return v, schema.Invalid("Invalid unset value for argument in call to function %s", c.function.name)
		}
		arguments[i] = v.Bytes
	}
	result, err := c.function.eval(b, arguments)
	return Value{Bytes: result}, err
}

func (c *call) String() string {
	parts := make([]string, len(c.arguments))
	for i, a := range c.arguments {
		parts[i] = a.String()
	}
	if c.function.operator != 0 {
		if len(parts) == 1 {
			return "-" + parts[0]
		}
		return "(" + parts[0] + " " + string(rune(c.function.operator)) + " " + parts[1] + ")"
	}
	return c.function.name + "(" + strings.Join(parts, ", ") + ")"
}

// foldCall evaluates a call at once if it always has the same result.
func foldCall(c *call) (Term, error) {
	if c.function.impure {
		return c, nil
	}
	for _, a := range c.arguments {
		if _, ok := a.(*constant); !ok {
			return c, nil
		}
	}
	v, err := c.Eval(nil)
	if err != nil {
		return nil, err
	}
	return &constant{value: v, typ: c.function.result}, nil
}

// isNative reports whether name may be one of the functions of keyspace system.
func isNative(name ast.Qualified) bool {
	return name.Keyspace.Text == "" || name.Keyspace.Text == "system"
}

// tokenTerm is token(...) of values.
type tokenTerm struct {
	arguments []Term
}

// tokenCall plans token(...) of values, one for each column of the partition key of t.
func (p *planner) tokenCall(t *schema.Table, call *ast.Call) (Term, error) {
	if err := checkTokenArguments(t, len(call.Arguments)); err != nil {
		return nil, err
	}
	f := &tokenTerm{}
	for i, a := range call.Arguments {
		s := Spec{Keyspace: t.Keyspace, Table: t.Name, Name: fmt.Sprintf("arg%d(system.token)", i), Type: t.Partition[i].Type}
		m, err := p.assign(a, s)
		if err != nil {
			return nil, err
		}
		if m == unassignable {
			return nil, schema.Invalid("Type error: %s cannot be passed as argument %d of function system.token of type %s", a, i, s.Type)
		}
		argument, err := p.term(a, s)
		if err != nil {
			return nil, err
		}
		f.arguments = append(f.arguments, argument)
	}
	return f, nil
}

func checkTokenArguments(t *schema.Table, n int) error {
	if n != len(t.Partition) {
		return schema.Invalid("Invalid number of arguments in call to function system.token: %d required but %d provided", len(t.Partition), n)
	}
	return nil
}

func (f *tokenTerm) Eval(b *Binding) (Value, error) {
	values := make([][]byte, len(f.arguments))
	for i, a := range f.arguments {
		v, err := a.Eval(b)
		if err != nil {
			return v, err
		}
		if v.Unset {
			return Value{}, schema.Invalid("Invalid unset value for argument in call to function token")
		}
		if v.Bytes == nil {
			return Value{}, nil
		}
		values[i] = v.Bytes
	}
	key, err := cqltype.AppendPartitionKey(nil, values...)
	if err != nil {
		return Value{}, schema.Invalid("%s", err)
	}
	return Value{Bytes: binary.BigEndian.AppendUint64(nil, uint64(ring.TokenOf(key)))}, nil
}

func (f *tokenTerm) String() string {
	parts := make([]string, len(f.arguments))
	for i, a := range f.arguments {
		parts[i] = a.String()
	}
	return "token(" + strings.Join(parts, ", ") + ")"
}

func itoa(n int) string { return strconv.Itoa(n) }

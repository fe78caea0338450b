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

// laterFunctions names Cassandra's functions that are known but not supported yet.
const laterFunctions = " abs collection_avg collection_count collection_max collection_min collection_sum " +
	"current_date current_time current_timestamp current_timeuuid currentdate currenttime currenttimestamp currenttimeuuid " +
	"dateof exp format_bytes format_time from_json fromjson log log10 map_keys map_values mask_default mask_hash mask_inner " +
	"mask_null mask_outer mask_replace max_timeuuid maxtimeuuid min_timeuuid mintimeuuid now round similarity_cosine " +
	"similarity_dot_product similarity_euclidean to_date to_json to_timestamp to_unix_timestamp todate tojson totimestamp " +
	"tounixtimestamp unixtimestampof uuid "

// isLaterFunction reports whether Cassandra has a native function of that name.
func isLaterFunction(name string) bool {
	return strings.Contains(laterFunctions, " "+name+" ") || strings.Contains(name, "asblob") || strings.Contains(name, "_as_blob") ||
		strings.HasPrefix(name, "blobas") || strings.HasPrefix(name, "blob_as_")
}

// callTerm refuses a call of a function for a value.
func callTerm(c *ast.Call) error {
	name := c.Function.Name.Text
	switch {
	case isLaterFunction(name) || name == "token" || c.Function.Keyspace.Text != "" && c.Function.Keyspace.Text != "system":
		return schema.Invalid("Functions are not supported yet in values (%s)", c)
	case aggregates[name]:
		return schema.Invalid("Aggregation function are not supported in the where clause")
	default:
		return schema.Invalid("Unknown function %s called", c.Function)
	}
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
		ok, err := p.fits(a, s)
		if err != nil {
			return nil, err
		}
		if !ok {
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

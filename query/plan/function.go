package plan

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// tokenTerm is token(...) of values.
type tokenTerm struct {
	arguments []Term
}

func (f *tokenTerm) Eval(b *Binding) (Value, error) {
	values := make([][]byte, len(f.arguments))
	for i, a := range f.arguments {
		v, err := a.Eval(b)
		if err != nil {
			return v, err
		}
		if v.Bytes == nil || v.Unset {
			return Value{}, schema.Invalid("Invalid null value for argument %d of function token", i+1)
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

package plan

import (
	"math/rand/v2"
	"strings"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// natives returns the signatures of a function by its name. Those whose types depend on the arguments are
// not among them: see planner.generic.
func natives(name string) []*function {
	switch name {
	case "uuid":
		return []*function{{name: name, result: cqltype.TypeUUID, impure: true, eval: newUUID}}
	case "abs", "exp", "log", "log10", "round":
		return mathFunctions(name)
	case "sum", "avg":
		return sumFunctions(name)
	}
	if f := timeFunctions(name); f != nil {
		return f
	}
	return blobFunctions(name)
}

func newUUID(*Binding, [][]byte) ([]byte, error) {
	var u [16]byte
	for i := range u {
		u[i] = byte(rand.Uint32())
	}
	u[6], u[8] = u[6]&0x0F|0x40, u[8]&0x3F|0x80 // version 4
	return u[:], nil
}

// blobFunctions returns the conversion of a type to blob or back that has this name, in either spelling.
func blobFunctions(name string) []*function {
	bare := strings.ReplaceAll(name, "_", "")
	if typeName, ok := strings.CutSuffix(bare, "asblob"); ok && (name == bare || name == typeName+"_as_blob") {
		if t, ok := cqltype.Lookup(typeName); ok && t != cqltype.TypeBlob {
			return []*function{{name: name, arguments: []*cqltype.Type{t}, result: cqltype.TypeBlob,
				eval: func(_ *Binding, arguments [][]byte) ([]byte, error) { return arguments[0], nil }}}
		}
	}
	if typeName, ok := strings.CutPrefix(bare, "blobas"); ok && (name == bare || name == "blob_as_"+typeName) {
		if t, ok := cqltype.Lookup(typeName); ok && t != cqltype.TypeBlob {
			return []*function{{name: name, arguments: []*cqltype.Type{cqltype.TypeBlob}, result: t, eval: fromBlob(name, t)}}
		}
	}
	return nil
}

func fromBlob(name string, t *cqltype.Type) func(*Binding, [][]byte) ([]byte, error) {
	return func(_ *Binding, arguments [][]byte) ([]byte, error) {
		v := arguments[0]
		if v != nil && t.Validate(v) != nil {
			return nil, schema.Invalid("In call to function system.%s, value %s is not a valid binary representation for type %s",
				name, cqltype.TypeBlob.AppendLiteral(nil, v), t)
		}
		return v, nil
	}
}

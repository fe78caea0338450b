package plan

import (
	"encoding/binary"
	"math"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A parameter says what a function takes whose signature depends on its arguments.
type parameter struct {
	name     string // in the signature
	requires string // in an error message
	accepts  func(t *cqltype.Type) bool
}

// genericParameters returns the parameters of a function by its name, nil if it is not one whose signature depends
// on its arguments.
func genericParameters(name string) []parameter {
	anything := parameter{name: "any", accepts: func(*cqltype.Type) bool { return true }}
	kinds := func(name, requires string, accepts func(t *cqltype.Type) bool) []parameter {
		return []parameter{{name, requires, accepts}}
	}
	isSequence := func(t *cqltype.Type) bool { return t.Kind() == cqltype.KindSet || t.Kind() == cqltype.KindList }
	switch name {
	case "min", "max", "count", "to_json":
		return []parameter{anything}
	case "map_keys", "map_values":
		return kinds("map", "a map argument", func(t *cqltype.Type) bool { return t.Kind() == cqltype.KindMap })
	case "collection_count":
		return kinds("collection", "a collection argument", func(t *cqltype.Type) bool { return t.Kind().IsCollection() })
	case "collection_min", "collection_max":
		return kinds("set_or_list", "a set or list argument", isSequence)
	case "collection_sum", "collection_avg":
		return kinds("numeric_set_or_list", "a numeric set/list argument", func(t *cqltype.Type) bool {
			_, numeric := sums[t.Kind()]
			if isSequence(t) {
				_, numeric = sums[t.ElementType().Kind()]
			}
			return numeric && isSequence(t)
		})
	case "similarity_cosine", "similarity_euclidean", "similarity_dot_product":
		vector := parameter{"vector<float, n>", "a float vector argument", func(t *cqltype.Type) bool {
			return t.Kind() == cqltype.KindVector && t.ElementType().Kind() == cqltype.KindFloat
		}}
		return []parameter{vector, vector}
	}
	return nil
}

func genericSignature(name string, parameters []parameter) string {
	out := "system." + name + "("
	for i, p := range parameters {
		if i > 0 {
			out += ", "
		}
		out += p.name
	}
	return out + ")"
}

// generic makes the function of that name for the types of its arguments. It returns nil if there is none.
func (p *planner) generic(name string, arguments []ast.Term) (*function, error) {
	parameters := genericParameters(name)
	if parameters == nil {
		return p.mask(name, arguments)
	}
	if len(arguments) != 1 && name == "count" {
		return nil, schema.Invalid("Invalid number of arguments in call to function system.count: 1 required but %d provided", len(arguments))
	}
	if len(arguments) != len(parameters) {
		return nil, schema.Invalid("Invalid number of arguments for function %s", genericSignature(name, parameters))
	}
	types := make([]*cqltype.Type, len(arguments))
	shown := make([]*cqltype.Type, len(arguments)) // in messages
	var known *cqltype.Type
	for i, a := range arguments {
		t, err := p.likelyType(a)
		if err != nil {
			return nil, err
		}
		if t != nil {
			types[i], shown[i] = t.Frozen(), t
			if known == nil || t.Kind() == cqltype.KindVector {
				known = types[i]
			}
		}
	}
	for i, a := range arguments {
		if parameters[i].requires == "a float vector argument" && known != nil {
			types[i] = vectorArgument(a, types[i], known)
		}
		if types[i] == nil {
			return nil, schema.Invalid("Cannot infer type of argument %s in call to function %s: use type casts to disambiguate",
				p.columnName(a), genericSignature(name, parameters))
		}
		if !parameters[i].accepts(types[i]) {
			return nil, schema.Invalid("Function system.%s requires %s, but found argument %s of type %s", name, parameters[i].requires,
				p.columnName(a), shown[i])
		}
	}
	return makeGeneric(name, types)
}

// vectorArgument returns the type of an argument that may be a list literal or a bind marker, beside a vector.
func vectorArgument(a ast.Term, t, known *cqltype.Type) *cqltype.Type {
	list, isList := a.(*ast.List)
	switch {
	case known.Kind() == cqltype.KindVector && t == nil:
		return known
	case isList:
		if v, err := cqltype.VectorOf(cqltype.TypeFloat, len(list.Elements)); err == nil {
			return v
		}
	}
	return t
}

func makeGeneric(name string, types []*cqltype.Type) (*function, error) {
	t := types[0]
	f := &function{name: name, arguments: types, result: t}
	var err error
	switch name {
	case "min", "max":
		f.aggregate = func() aggregator { return &extreme{typ: t, greatest: name == "max"} }
	case "count":
		f.result, f.aggregate = cqltype.TypeBigint, func() aggregator { return &valueCount{} }
	case "to_json":
		f.result = cqltype.TypeText
		f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) {
			return appendJSON([]byte{}, t, arguments[0]), nil
		}
		return f, nil
	case "map_keys":
		f.result, err = cqltype.SetOf(t.KeyType())
		f.eval = mapPart(t, 0)
	case "map_values":
		f.result, err = cqltype.ListOf(t.ValueType())
		f.eval = mapPart(t, 1)
	case "collection_count":
		f.result = cqltype.TypeInt
		f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) {
			if len(arguments[0]) < 4 {
				return nil, nil
			}
			return arguments[0][:4], nil
		}
	case "similarity_cosine", "similarity_euclidean", "similarity_dot_product":
		return similarity(f, types)
	default:
		return overElements(f, t)
	}
	if err != nil {
		return nil, schema.Invalid("%s", err)
	}
	f.result = f.result.Frozen()
	return f, nil
}

// mapPart returns the keys (0) or values (1) of a map.
func mapPart(t *cqltype.Type, part int) func(*Binding, [][]byte) ([]byte, error) {
	return func(_ *Binding, arguments [][]byte) ([]byte, error) {
		if len(arguments[0]) < 4 {
			return nil, nil
		}
		elements := t.Elements(arguments[0])
		out := cqltype.AppendCount(nil, elements.Len()/2)
		for elements.Next() {
			if elements.Index()%2 == part {
				out = cqltype.AppendElement(out, notNil(elements.Value()))
			}
		}
		return out, elements.Err()
	}
}

// overElements makes collection_min and the like of the aggregate of the same name.
func overElements(f *function, t *cqltype.Type) (*function, error) {
	element := t.ElementType()
	var start func() aggregator
	switch f.name {
	case "collection_min", "collection_max":
		f.result = element
		start = func() aggregator { return &extreme{typ: element, greatest: f.name == "collection_max"} }
	default:
		for _, sum := range sumFunctions(f.name[len("collection_"):]) {
			if sum.arguments[0].Kind() == element.Kind() {
				f.result, start = sum.result, sum.aggregate
			}
		}
	}
	f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) {
		if arguments[0] == nil {
			return nil, nil
		}
		a := start()
		elements := t.Elements(arguments[0])
		for elements.Next() {
			if err := a.add(notNil(elements.Value())); err != nil {
				return nil, err
			}
		}
		if out, ok := a.result([]byte{}); ok {
			return out, elements.Err()
		}
		return nil, elements.Err()
	}
	return f, nil
}

// similarity makes a function that compares two vectors of floats of one length.
func similarity(f *function, types []*cqltype.Type) (*function, error) {
	if types[0].Dimension() != types[1].Dimension() {
		return nil, schema.Invalid("All arguments must have the same vector dimensions")
	}
	f.result = cqltype.TypeFloat
	f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) {
		if arguments[0] == nil || arguments[1] == nil {
			return nil, nil
		}
		var dot, square1, square2, distance float64
		for i := 0; i+4 <= min(len(arguments[0]), len(arguments[1])); i += 4 {
			x := float64(math.Float32frombits(binary.BigEndian.Uint32(arguments[0][i:])))
			y := float64(math.Float32frombits(binary.BigEndian.Uint32(arguments[1][i:])))
			dot, square1, square2, distance = dot+x*y, square1+x*x, square2+y*y, distance+(x-y)*(x-y)
		}
		result := 0.0
		switch f.name {
		case "similarity_cosine":
			if square1 == 0 || square2 == 0 {
				return nil, schema.Invalid("Function system.similarity_cosine doesn't support all-zero vectors.")
			}
			result = (1 + dot/math.Sqrt(square1*square2)) / 2
		case "similarity_euclidean":
			result = 1 / (1 + distance)
		default:
			result = (1 + dot) / 2
		}
		return binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(result))), nil
	}
	return f, nil
}

package plan

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// mask makes one of the functions that hide values for the types of its arguments.
func (p *planner) mask(name string, arguments []ast.Term) (*function, error) {
	shape, least, most := maskShape(name)
	if shape == "" {
		return nil, nil
	}
	if len(arguments) < least || len(arguments) > most {
		return nil, schema.Invalid("Invalid number of arguments for function system.%s(%s)", name, shape)
	}
	t, err := p.likelyType(arguments[0])
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, schema.Invalid("Cannot infer type of argument %s in call to function system.%s(%s): use type casts to disambiguate",
			p.columnName(arguments[0]), name, shape)
	}
	shown := t
	t = t.Frozen()
	f := &function{name: name, result: t, arguments: []*cqltype.Type{t}}
	switch name {
	case "mask_null":
		f.eval = func(*Binding, [][]byte) ([]byte, error) { return nil, nil }
	case "mask_default":
		f.eval = func(*Binding, [][]byte) ([]byte, error) { return maskedValue(t) }
	case "mask_replace":
		f.arguments = []*cqltype.Type{t, t}
		f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) { return arguments[1], nil }
	case "mask_hash":
		f.arguments, f.result = append(f.arguments, cqltype.TypeText), cqltype.TypeBlob
		f.eval = maskHash
	default:
		if t.Kind() != cqltype.KindText && t.Kind() != cqltype.KindASCII {
			return nil, schema.Invalid("Function system.%s requires an argument of type [text|varchar|ascii], but found argument %s of type %s",
				name, p.columnName(arguments[0]), shown)
		}
		f.arguments = append(f.arguments, cqltype.TypeInt, cqltype.TypeInt, cqltype.TypeText)
		f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) { return maskCharacters(name, arguments) }
	}
	f.arguments = f.arguments[:len(arguments)]
	return f, p.checkArguments(f, arguments)
}

// maskShape returns how a signature is shown, and how many arguments there may be.
func maskShape(name string) (shape string, least, most int) {
	switch name {
	case "mask_null", "mask_default":
		return "any", 1, 1
	case "mask_replace":
		return "any, same", 2, 2
	case "mask_hash":
		return "any, [text]", 1, 2
	case "mask_inner", "mask_outer":
		return "[text|varchar|ascii], int, int, [text]", 3, 4
	}
	return "", 0, 0
}

// maskedValue returns what mask_default shows of every value of a type.
func maskedValue(t *cqltype.Type) ([]byte, error) {
	switch t.Kind() {
	case cqltype.KindText, cqltype.KindASCII:
		return []byte("****"), nil
	case cqltype.KindBlob:
		return []byte{}, nil
	case cqltype.KindTimeUUID:
		u := cqltype.MinTimeUUID(time.Unix(0, 0))
		return u[:], nil
	case cqltype.KindDate:
		return ofMillis(t, 0), nil
	case cqltype.KindVarint, cqltype.KindDecimal:
		return number{big: new(big.Int), decimal: cqltype.Decimal{Unscaled: new(big.Int)}}.encode(t), nil
	case cqltype.KindInet:
		return make([]byte, 4), nil
	case cqltype.KindDuration:
		return make([]byte, 3), nil
	case cqltype.KindUUID:
		return make([]byte, 16), nil
	case cqltype.KindTime, cqltype.KindTimestamp:
		return make([]byte, 8), nil
	case cqltype.KindBoolean:
		return make([]byte, 1), nil
	case cqltype.KindList, cqltype.KindSet, cqltype.KindMap:
		return make([]byte, 4), nil
	case cqltype.KindTuple, cqltype.KindUDT:
		return maskedElements(t, t.FieldTypes())
	case cqltype.KindVector:
		types := make([]*cqltype.Type, t.Dimension())
		for i := range types {
			types[i] = t.ElementType()
		}
		return maskedElements(t, types)
	}
	return make([]byte, sizeOf(t)), nil
}

func maskedElements(t *cqltype.Type, types []*cqltype.Type) ([]byte, error) {
	elements := make([][]byte, len(types))
	for i, e := range types {
		var err error
		if elements[i], err = maskedValue(e); err != nil {
			return nil, err
		}
	}
	return t.Build(elements)
}

// maskCharacters puts a padding in the place of all characters but the first and last (mask_inner), or of these
// (mask_outer).
func maskCharacters(name string, arguments [][]byte) ([]byte, error) {
	if arguments[0] == nil {
		return nil, nil
	}
	padding := "*"
	if len(arguments) == 4 && arguments[3] != nil {
		padding = string(arguments[3])
		if n := utf8.RuneCountInString(padding); n != 1 {
			return nil, schema.Invalid("The padding argument for function system.%s should be single-character, but '%s' has %d characters.",
				name, padding, n)
		}
	}
	margin := func(v []byte) int {
		if len(v) == 0 {
			return 0
		}
		return max(0, int(signed(v)))
	}
	begin, end := margin(arguments[1]), margin(arguments[2])
	var out strings.Builder
	characters := []rune(string(arguments[0]))
	for i, c := range characters {
		inner := i >= begin && i < len(characters)-end
		if inner == (name == "mask_inner") {
			out.WriteString(padding)
		} else {
			out.WriteRune(c)
		}
	}
	return []byte(out.String()), nil
}

func maskHash(_ *Binding, arguments [][]byte) ([]byte, error) {
	v, algorithm := arguments[0], "SHA-256"
	if v == nil {
		return nil, nil
	}
	if len(arguments) == 2 && arguments[1] != nil {
		algorithm = string(arguments[1])
	}
	switch strings.ToUpper(algorithm) {
	case "SHA-256":
		sum := sha256.Sum256(v)
		return sum[:], nil
	case "SHA-224":
		sum := sha256.Sum224(v)
		return sum[:], nil
	case "SHA-384":
		sum := sha512.Sum384(v)
		return sum[:], nil
	case "SHA-512":
		sum := sha512.Sum512(v)
		return sum[:], nil
	case "SHA-1", "SHA":
		sum := sha1.Sum(v)
		return sum[:], nil
	case "MD5":
		sum := md5.Sum(v)
		return sum[:], nil
	}
	return nil, schema.Invalid("Hash algorithm not found: %s", algorithm)
}

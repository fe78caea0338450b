package frame

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// classPackage is in front of every class that is a type in Cassandra.
const classPackage = "org.apache.cassandra.db.marshal."

// AppendClassName appends the name of the class that is t in Cassandra, with its parameters. It is how types travel that
// the protocol has no id for. For vector<float, 3>, for example, it is
// "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3)".
func AppendClassName(dst []byte, t *cqltype.Type) []byte { return appendClass(dst, t, false) }

// appendClass appends the class of t. Within a frozen type, what is frozen as well is not marked again.
func appendClass(dst []byte, t *cqltype.Type, frozen bool) []byte {
	wrapped := t.Kind().IsCollection() || t.Kind() == cqltype.KindUDT
	if wrapped && !t.IsMultiCell() && !frozen {
		dst = append(dst, classPackage+"FrozenType("...)
		return append(appendClass(dst, t, true), ')')
	}
	dst = append(dst, classPackage...)
	switch t.Kind() {
	case cqltype.KindList:
		return appendParameters(append(dst, "ListType"...), frozen, t.ElementType())
	case cqltype.KindSet:
		return appendParameters(append(dst, "SetType"...), frozen, t.ElementType())
	case cqltype.KindMap:
		return appendParameters(append(dst, "MapType"...), frozen, t.KeyType(), t.ValueType())
	case cqltype.KindTuple:
		return appendParameters(append(dst, "TupleType"...), true, t.FieldTypes()...)
	case cqltype.KindVector:
		dst = appendClass(append(dst, "VectorType("...), t.ElementType(), frozen)
		dst = append(dst, " , "...) // so it is in Cassandra, with a space on both sides
		dst = strconv.AppendInt(dst, int64(t.Dimension()), 10)
		return append(dst, ')')
	case cqltype.KindUDT:
		return appendUDTClass(dst, t, frozen)
	default:
		return append(dst, nativeOptions[t.Kind()].class...)
	}
}

func appendParameters(dst []byte, frozen bool, types ...*cqltype.Type) []byte {
	for i, t := range types {
		separator := byte(',')
		if i == 0 {
			separator = '('
		}
		dst = appendClass(append(dst, separator), t, frozen)
	}
	return append(dst, ')')
}

// appendUDTClass appends UserType(keyspace,name,field:class,...), with names in hexadecimal.
func appendUDTClass(dst []byte, t *cqltype.Type, frozen bool) []byte {
	keyspace, name := t.UDTName()
	dst = append(append(append(dst, "UserType("...), keyspace...), ',')
	dst = hex.AppendEncode(dst, []byte(name))
	for _, f := range t.Fields() {
		dst = hex.AppendEncode(append(dst, ','), []byte(f.Name))
		dst = appendClass(append(dst, ':'), f.Type, frozen)
	}
	return append(dst, ')')
}

// ParseClassName returns the type that the name of a class stands for, with its parameters and with or without its package.
// Classes that are no type of CQL, such as Cassandra's EmptyType or somebody's own, are taken for blob. It returns a
// ProtocolError for parameters that do not fit, and a TypeError of cqltype for types that CQL does not allow.
func ParseClassName(name string) (*cqltype.Type, error) {
	p := classParser{rest: name}
	t := p.class(0, false)
	if p.err == nil && p.rest != "" {
		p.fail("unexpected '" + p.rest + "'")
	}
	return t, p.err
}

// classParser reads the name of a class. After an error it reads nothing more.
type classParser struct {
	rest string
	err  error
}

func (p *classParser) fail(reason string) {
	if p.err == nil {
		p.err = &ProtocolError{Reason: "Invalid class of a type: " + reason}
		p.rest = ""
	}
}

// word reads everything up to the next of the characters that structure a name.
func (p *classParser) word() string {
	i := strings.IndexAny(p.rest, "(),:")
	if i < 0 {
		i = len(p.rest)
	}
	word := strings.TrimSpace(p.rest[:i])
	p.rest = p.rest[i:]
	return word
}

// skip skips the character c if it is next.
func (p *classParser) skip(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = strings.TrimLeft(p.rest[1:], " ")
	return true
}

// class reads a class with its parameters. Within a frozen type everything is frozen, though not marked so.
func (p *classParser) class(depth int, frozen bool) *cqltype.Type {
	if depth > maxTypeDepth {
		p.fail("it nests too deep")
		return cqltype.TypeBlob
	}
	full := p.word()
	name := full[strings.LastIndexByte(full, '.')+1:]
	t := p.composite(name, depth, frozen)
	if t == nil {
		return p.native(name)
	}
	if frozen {
		return t.Frozen()
	}
	return t
}

// composite reads the parameters of a class that has some; for others it returns nil.
func (p *classParser) composite(name string, depth int, frozen bool) *cqltype.Type {
	switch name {
	case "FrozenType":
		return p.parameters(depth, 1, true)[0].Frozen()
	case "ReversedType":
		return p.parameters(depth, 1, frozen)[0]
	case "ListType":
		return p.built(cqltype.ListOf(p.parameters(depth, 1, frozen)[0].Frozen()))
	case "SetType":
		return p.built(cqltype.SetOf(p.parameters(depth, 1, frozen)[0].Frozen()))
	case "MapType":
		types := p.parameters(depth, 2, frozen)
		return p.built(cqltype.MapOf(types[0].Frozen(), types[1].Frozen()))
	case "TupleType":
		return p.built(cqltype.TupleOf(p.parameters(depth, 0, true)...))
	case "VectorType":
		return p.vector(depth, frozen)
	case "UserType":
		return p.udt(depth, frozen)
	default:
		return nil
	}
}

// native returns the type of a class without parameters, blob if there is none.
func (p *classParser) native(name string) *cqltype.Type {
	switch name {
	case "LegacyTimeUUIDType": // the type of min and max of a timeuuid
		return cqltype.TypeTimeUUID
	case "DateType": // old timestamps
		return cqltype.TypeTimestamp
	}
	for kind := range nativeOptions {
		if nativeOptions[kind].class == name && name != "" {
			return cqltype.Native(cqltype.Kind(kind))
		}
	}
	p.skipParameters()
	return cqltype.TypeBlob
}

// built returns a type that cqltype has made, blob if it refused to.
func (p *classParser) built(t *cqltype.Type, err error) *cqltype.Type {
	if p.err != nil || err != nil {
		if p.err == nil {
			p.err, p.rest = err, ""
		}
		return cqltype.TypeBlob
	}
	return t
}

// parameters reads n types in parentheses, or any number if n is 0. After an error there are as many as asked for.
func (p *classParser) parameters(depth, n int, frozen bool) []*cqltype.Type {
	var types []*cqltype.Type
	for separator := byte('('); p.skip(separator); separator = ',' {
		types = append(types, p.class(depth+1, frozen))
	}
	if !p.skip(')') || n > 0 && len(types) != n {
		p.fail("wrong parameters")
	}
	for len(types) < max(n, 1) {
		types = append(types, cqltype.TypeBlob)
	}
	return types
}

func (p *classParser) vector(depth int, frozen bool) *cqltype.Type {
	if !p.skip('(') {
		p.fail("a vector without parameters")
	}
	element := p.class(depth+1, frozen)
	if !p.skip(',') {
		p.fail("a vector without a dimension")
	}
	dimension, err := strconv.Atoi(p.word())
	if err != nil || !p.skip(')') {
		p.fail("a vector without a dimension")
	}
	return p.built(cqltype.VectorOf(element, dimension))
}

func (p *classParser) udt(depth int, frozen bool) *cqltype.Type {
	if !p.skip('(') {
		p.fail("a user-defined type without parameters")
	}
	keyspace := p.word()
	if !p.skip(',') {
		p.fail("a user-defined type without a name")
	}
	name := p.hex()
	var fields []cqltype.Field
	for p.skip(',') {
		field := p.hex()
		if !p.skip(':') {
			p.fail("a field without a type")
		}
		fields = append(fields, cqltype.Field{Name: field, Type: p.class(depth+1, frozen).Frozen()})
	}
	if !p.skip(')') {
		p.fail("a user-defined type without an end")
	}
	return p.built(cqltype.UDT(keyspace, name, fields))
}

func (p *classParser) hex() string {
	b, err := hex.DecodeString(p.word())
	if err != nil {
		p.fail("a name that is not hexadecimal")
	}
	return string(b)
}

// skipParameters skips what is in the parentheses behind the name of a class that is not known.
func (p *classParser) skipParameters() {
	open := 0
	for i := range len(p.rest) {
		switch p.rest[i] {
		case '(':
			open++
		case ')':
			open--
		}
		if open <= 0 {
			if p.rest[0] == '(' {
				p.rest = p.rest[i+1:]
			}
			return
		}
	}
	if open > 0 {
		p.fail("a parenthesis without its end")
	}
}

package cql

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// nativeOptions holds the native types by their option id (section 4.2.5.2).
var nativeOptions = map[int]*cqltype.Type{
	0x01: cqltype.TypeASCII, 0x02: cqltype.TypeBigint, 0x03: cqltype.TypeBlob, 0x04: cqltype.TypeBoolean,
	0x05: cqltype.TypeCounter, 0x06: cqltype.TypeDecimal, 0x07: cqltype.TypeDouble, 0x08: cqltype.TypeFloat,
	0x09: cqltype.TypeInt, 0x0b: cqltype.TypeTimestamp, 0x0c: cqltype.TypeUUID, 0x0d: cqltype.TypeText,
	0x0e: cqltype.TypeVarint, 0x0f: cqltype.TypeTimeUUID, 0x10: cqltype.TypeInet, 0x11: cqltype.TypeDate,
	0x12: cqltype.TypeTime, 0x13: cqltype.TypeSmallint, 0x14: cqltype.TypeTinyint, 0x15: cqltype.TypeDuration,
}

// dataType reads a type. The protocol does not say what is frozen; what is inside of other types comes out so.
func (r *reader) dataType() *cqltype.Type {
	id := r.short()
	if r.err != nil {
		return nil
	}
	if t, ok := nativeOptions[id]; ok {
		return t
	}
	switch id {
	case 0x00:
		return r.typed(parseClass(r.string()))
	case 0x20:
		return r.typed(cqltype.ListOf(r.element()))
	case 0x21:
		key := r.element()
		return r.typed(cqltype.MapOf(key, r.element()))
	case 0x22:
		return r.typed(cqltype.SetOf(r.element()))
	case 0x30:
		keyspace, name := r.string(), r.string()
		var fields []cqltype.Field
		for range r.count(r.short()) {
			fields = append(fields, cqltype.Field{Name: r.string(), Type: r.element()})
		}
		return r.typed(cqltype.UDT(keyspace, name, fields))
	case 0x31:
		var elems []*cqltype.Type
		for range r.count(r.short()) {
			elems = append(elems, r.element())
		}
		return r.typed(cqltype.TupleOf(elems...))
	}
	return r.typed(nil, fmt.Errorf("unknown type option %#x", id))
}

// element reads the type of a part of another type; after an error it is blob, for which every constructor works.
func (r *reader) element() *cqltype.Type {
	if t := r.dataType(); t != nil && r.err == nil {
		return t.Frozen()
	}
	return cqltype.TypeBlob
}

func (r *reader) typed(t *cqltype.Type, err error) *cqltype.Type {
	if r.err == nil {
		r.err = err
	}
	return t
}

// classes holds the native types by the name of their class in Cassandra, which stands for them inside of vectors, and
// as the type of min and max of a timeuuid.
var classes = map[string]*cqltype.Type{
	"AsciiType": cqltype.TypeASCII, "LongType": cqltype.TypeBigint, "BytesType": cqltype.TypeBlob,
	"BooleanType": cqltype.TypeBoolean, "SimpleDateType": cqltype.TypeDate, "DecimalType": cqltype.TypeDecimal,
	"DoubleType": cqltype.TypeDouble, "DurationType": cqltype.TypeDuration, "FloatType": cqltype.TypeFloat,
	"InetAddressType": cqltype.TypeInet, "Int32Type": cqltype.TypeInt, "ShortType": cqltype.TypeSmallint,
	"UTF8Type": cqltype.TypeText, "TimeType": cqltype.TypeTime, "TimestampType": cqltype.TypeTimestamp,
	"TimeUUIDType": cqltype.TypeTimeUUID, "LegacyTimeUUIDType": cqltype.TypeTimeUUID, "ByteType": cqltype.TypeTinyint, "UUIDType": cqltype.TypeUUID,
	"IntegerType": cqltype.TypeVarint,
}

// parseClass reads the name of a class, such as "...VectorType(...FloatType , 3)": vectors have no option id.
func parseClass(text string) (*cqltype.Type, error) {
	name, arguments, composite := strings.Cut(strings.TrimSpace(text), "(")
	name = name[strings.LastIndexByte(name, '.')+1:]
	if t, ok := classes[name]; ok {
		return t, nil
	}
	if !composite {
		return nil, fmt.Errorf("unknown class %q", name)
	}
	parts := splitTopLevel(strings.TrimSuffix(arguments, ")"))
	if name == "VectorType" && len(parts) == 2 {
		elem, err := parseClass(parts[0])
		if err != nil {
			return nil, err
		}
		dimension, err := strconv.Atoi(strings.TrimSpace(parts[1]))
		if err != nil {
			return nil, err
		}
		return cqltype.VectorOf(elem, dimension)
	}
	return parseNestedClass(name, parts)
}

// parseNestedClass reads the class of a type that may be the element of a vector.
func parseNestedClass(name string, parts []string) (*cqltype.Type, error) {
	elems := make([]*cqltype.Type, len(parts))
	for i, part := range parts {
		var err error
		if elems[i], err = parseClass(part); err != nil {
			return nil, err
		}
	}
	var t *cqltype.Type
	var err error
	switch {
	case name == "FrozenType" && len(elems) == 1:
		return elems[0].Frozen(), nil
	case name == "ListType" && len(elems) == 1:
		t, err = cqltype.ListOf(elems[0].Frozen())
	case name == "SetType" && len(elems) == 1:
		t, err = cqltype.SetOf(elems[0].Frozen())
	case name == "MapType" && len(elems) == 2:
		t, err = cqltype.MapOf(elems[0].Frozen(), elems[1].Frozen())
	case name == "TupleType":
		t, err = cqltype.TupleOf(elems...)
	default:
		return nil, fmt.Errorf("unknown class %s", name)
	}
	return t, err
}

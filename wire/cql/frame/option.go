package frame

import "github.com/iliumdb/ilium/schema/cqltype"

// Ids of types in metadata (section 4.2.5.2). Those of native types are in nativeKinds.
const (
	optionCustom = 0x00
	optionText   = 0x0A // of versions 1 and 2; Cassandra still reads it
	optionList   = 0x20
	optionMap    = 0x21
	optionSet    = 0x22
	optionUDT    = 0x30
	optionTuple  = 0x31
)

// maxTypeDepth bounds how deep types nest that are decoded, and with them the recursion.
const maxTypeDepth = 32

// maxTypeMemory bounds the memory that the types of one message may take, about. A type knows the names of all that it is
// made of, so a few bytes that nest deep would otherwise take a lot.
const maxTypeMemory = 16 << 20

// nativeOption is how a native type travels: by its id, or by the name of its class in versions that do not know the id.
type nativeOption struct {
	id    uint16
	since Version
	class string // in Cassandra's package org.apache.cassandra.db.marshal
}

// nativeOptions is indexed by the kind of the type.
var nativeOptions = [...]nativeOption{
	cqltype.KindASCII:     {0x01, V3, "AsciiType"},
	cqltype.KindBigint:    {0x02, V3, "LongType"},
	cqltype.KindBlob:      {0x03, V3, "BytesType"},
	cqltype.KindBoolean:   {0x04, V3, "BooleanType"},
	cqltype.KindCounter:   {0x05, V3, "CounterColumnType"},
	cqltype.KindDecimal:   {0x06, V3, "DecimalType"},
	cqltype.KindDouble:    {0x07, V3, "DoubleType"},
	cqltype.KindFloat:     {0x08, V3, "FloatType"},
	cqltype.KindInt:       {0x09, V3, "Int32Type"},
	cqltype.KindTimestamp: {0x0B, V3, "TimestampType"},
	cqltype.KindUUID:      {0x0C, V3, "UUIDType"},
	cqltype.KindText:      {0x0D, V3, "UTF8Type"},
	cqltype.KindVarint:    {0x0E, V3, "IntegerType"},
	cqltype.KindTimeUUID:  {0x0F, V3, "TimeUUIDType"},
	cqltype.KindInet:      {0x10, V3, "InetAddressType"},
	cqltype.KindDate:      {0x11, V4, "SimpleDateType"},
	cqltype.KindTime:      {0x12, V4, "TimeType"},
	cqltype.KindSmallint:  {0x13, V4, "ShortType"},
	cqltype.KindTinyint:   {0x14, V4, "ByteType"},
	cqltype.KindDuration:  {0x15, V5, "DurationType"},
}

// nativeKinds is nativeOptions the other way round: indexed by id; ids that are not those of native types have a zero kind.
var nativeKinds = [...]cqltype.Kind{
	0x01: cqltype.KindASCII,
	0x02: cqltype.KindBigint,
	0x03: cqltype.KindBlob,
	0x04: cqltype.KindBoolean,
	0x05: cqltype.KindCounter,
	0x06: cqltype.KindDecimal,
	0x07: cqltype.KindDouble,
	0x08: cqltype.KindFloat,
	0x09: cqltype.KindInt,
	0x0B: cqltype.KindTimestamp,
	0x0C: cqltype.KindUUID,
	0x0D: cqltype.KindText,
	0x0E: cqltype.KindVarint,
	0x0F: cqltype.KindTimeUUID,
	0x10: cqltype.KindInet,
	0x11: cqltype.KindDate,
	0x12: cqltype.KindTime,
	0x13: cqltype.KindSmallint,
	0x14: cqltype.KindTinyint,
	0x15: cqltype.KindDuration,
}

// option appends the type t as an [option]. Types that version v has no id for, such as vectors, travel as custom types:
// by the name of their class.
func (e *encoder) option(t *cqltype.Type, v Version) {
	const field = "type"
	if t == nil {
		e.fail(field, "no type")
		return
	}
	switch t.Kind() {
	case cqltype.KindList:
		e.short(field, optionList)
		e.option(t.ElementType(), v)
	case cqltype.KindSet:
		e.short(field, optionSet)
		e.option(t.ElementType(), v)
	case cqltype.KindMap:
		e.short(field, optionMap)
		e.option(t.KeyType(), v)
		e.option(t.ValueType(), v)
	case cqltype.KindTuple:
		e.short(field, optionTuple)
		e.short(field, len(t.FieldTypes()))
		for _, f := range t.FieldTypes() {
			e.option(f, v)
		}
	case cqltype.KindUDT:
		e.udtOption(t, v)
	case cqltype.KindVector:
		e.customOption(t)
	default:
		if o := nativeOptions[t.Kind()]; v >= o.since {
			e.short(field, int(o.id))
			return
		}
		e.customOption(t)
	}
}

func (e *encoder) udtOption(t *cqltype.Type, v Version) {
	keyspace, name := t.UDTName()
	e.short("type", optionUDT)
	e.string("keyspace of a type", keyspace)
	e.string("name of a type", name)
	e.short("fields of a type", len(t.Fields()))
	for _, f := range t.Fields() {
		e.string("field of a type", f.Name)
		e.option(f.Type, v)
	}
}

func (e *encoder) customOption(t *cqltype.Type) {
	e.short("type", optionCustom)
	start := len(e.b)
	e.b = append(e.b, 0, 0)
	e.b = AppendClassName(e.b, t)
	n := len(e.b) - start - 2
	if n > 0xffff {
		e.fail("type", "the name of its class has %d bytes", n)
	}
	e.b[start], e.b[start+1] = byte(n>>8), byte(n)
}

// option reads an [option] as a type. The protocol does not say what is frozen: parts of other types come out frozen,
// collections and user-defined types themselves not.
func (d *decoder) option(v Version, depth int) *cqltype.Type {
	const field = "type"
	id := d.short(field)
	if depth > maxTypeDepth {
		d.fail(field, 2, "it nests more than %d types", maxTypeDepth)
	}
	if d.err != nil {
		return nil
	}
	if id < len(nativeKinds) && nativeKinds[id] != 0 {
		return cqltype.Native(nativeKinds[id])
	}
	switch id {
	case optionText:
		return cqltype.TypeText
	case optionCustom:
		t := d.built(ParseClassName(d.string("class of a type")))
		if t != nil {
			for part := range t.Walk() {
				d.weigh(part)
			}
		}
		return t
	case optionList:
		return d.built(cqltype.ListOf(d.part(v, depth)))
	case optionSet:
		return d.built(cqltype.SetOf(d.part(v, depth)))
	case optionMap:
		key := d.part(v, depth)
		return d.built(cqltype.MapOf(key, d.part(v, depth)))
	case optionUDT:
		return d.udtOption(v, depth)
	case optionTuple:
		parts := make([]*cqltype.Type, d.count("elements of a type", 2))
		for i := range parts {
			parts[i] = d.part(v, depth)
		}
		return d.built(cqltype.TupleOf(parts...))
	}
	d.fail(field, 2, "unknown id %#04x", id)
	return nil
}

func (d *decoder) udtOption(v Version, depth int) *cqltype.Type {
	keyspace, name := d.string("keyspace of a type"), d.string("name of a type")
	fields := make([]cqltype.Field, d.count("fields of a type", 4))
	for i := range fields {
		fields[i] = cqltype.Field{Name: d.string("field of a type"), Type: d.part(v, depth)}
	}
	return d.built(cqltype.UDT(keyspace, name, fields))
}

// part reads the type of a part of another type. After an error it is blob, of which every other type can be made.
func (d *decoder) part(v Version, depth int) *cqltype.Type {
	if t := d.option(v, depth+1); t != nil && d.err == nil {
		return t.Frozen()
	}
	return cqltype.TypeBlob
}

// built returns a type that cqltype has made, unless it refused to.
func (d *decoder) built(t *cqltype.Type, err error) *cqltype.Type {
	if err != nil {
		d.fail("type", 0, "%s", err)
		return nil
	}
	d.weigh(t)
	return t
}

// weigh adds the memory of t, without its parts, to that of all types of the message.
func (d *decoder) weigh(t *cqltype.Type) {
	const fixed = 256 // it and its frozen form
	if d.types += fixed + 2*len(t.String()); d.types > maxTypeMemory {
		d.fail("type", 0, "the types of the message take more than %d bytes of memory", maxTypeMemory)
	}
}

package cqltype

// compositeCodec is everything that has elements: list, set, map, tuple, UDT and vector. The methods that
// turn them into text and Go values are in composite_text.go and govalue.go.
//
// A key is markValue, for each element keyElement and the element's key, and keyEnd. For a map only the keys of the map
// have keyElement in front, for a vector nothing has and keyEnd is left out, as it is known what comes. Null
// fields of a tuple or UDT are keyNull; trailing ones are left out, so that fields can be added to a UDT
// without a change of the keys there are.
type compositeCodec struct {
	t *Type
}

const (
	keyEnd     = 0x00
	keyNull    = 0x01
	keyElement = 0x02
)

// optional reports whether elements may be null and trailing ones missing.
func (c compositeCodec) optional() bool { return c.t.kind == KindTuple || c.t.kind == KindUDT }

// marked reports whether the key of the element at that index starts with keyElement or keyNull.
func (c compositeCodec) marked(index int) bool {
	return c.t.kind != KindVector && (c.t.kind != KindMap || index&1 == 0)
}

func (c compositeCodec) validate(v []byte) error {
	if len(v) == 0 && c.t.kind == KindVector {
		return invalid("Invalid empty vector value")
	}
	e := c.t.Elements(v)
	for e.Next() {
		if e.Value() == nil {
			continue
		}
		if err := e.Type().codec.validate(e.Value()); err != nil {
			if c.t.udt != nil {
				return invalid("Failure validating the %dth field %s; %v", e.Index(), c.t.udt.fields[e.Index()].Name, err)
			}
			return err
		}
	}
	return e.Err()
}

// wellFormed reports whether the elements of v can be told apart, without looking into them.
func (c compositeCodec) wellFormed(v []byte) bool {
	e := c.t.Elements(v)
	for e.Next() {
	}
	return e.Err() == nil
}

func (c compositeCodec) compare(a, b []byte) int {
	if len(a) == 0 || len(b) == 0 {
		return sign(len(a) - len(b))
	}
	ea, eb := c.t.Elements(a), c.t.Elements(b)
	for {
		moreA, moreB := ea.Next(), eb.Next()
		if !moreA && !moreB {
			return 0
		}
		if !moreA || !moreB {
			return c.compareTails(moreA, ea, eb)
		}
		x, y := ea.Value(), eb.Value()
		switch {
		case x == nil && y == nil:
			continue
		case x == nil:
			return -1
		case y == nil:
			return 1
		}
		if cmp := ea.Type().codec.compare(x, y); cmp != 0 {
			return cmp
		}
	}
}

// compareTails compares two values of which one, the first if longerA, has more elements: it is the greater one,
// unless all that it has more is null.
func (c compositeCodec) compareTails(longerA bool, ea, eb Elements) int {
	longer, cmp := eb, -1
	if longerA {
		longer, cmp = ea, 1
	}
	for more := c.optional(); more && longer.Value() == nil; {
		if more = longer.Next(); !more {
			return 0
		}
	}
	return cmp
}

func (c compositeCodec) appendKey(dst, v []byte) []byte {
	if len(v) == 0 {
		return append(dst, markEmpty)
	}
	start := len(dst)
	dst = append(dst, markValue)
	end := len(dst) // behind the last element that is not null
	e := c.t.Elements(v)
	for e.Next() {
		elem := e.Value()
		if elem == nil {
			dst = append(dst, keyNull)
			continue
		}
		if c.marked(e.Index()) {
			dst = append(dst, keyElement)
		}
		dst = e.Type().codec.appendKey(dst, elem)
		end = len(dst)
	}
	if e.Err() != nil {
		return appendEscaped(append(dst[:start], markRaw), v)
	}
	if c.t.kind == KindVector {
		return dst
	}
	return append(dst[:end], keyEnd)
}

func (c compositeCodec) readKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	if len(key) == 0 {
		return dst, nil, errKeyTruncated
	}
	marker := key[0] ^ mask
	key = key[1:]
	switch marker {
	case markEmpty:
		return dst, key, nil
	case markValue:
		switch c.t.kind {
		case KindVector:
			return c.readVectorKey(dst, key, mask)
		case KindTuple, KindUDT:
			return c.readFieldsKey(dst, key, mask)
		}
		return c.readCollectionKey(dst, key, mask)
	case markRaw:
		start := len(dst)
		dst, rest, err = readEscaped(dst, key, mask)
		if err == nil && (len(dst) == start || c.wellFormed(dst[start:])) {
			err = errKeyNotCanonical
		}
		return dst, rest, err
	}
	return dst, nil, errKeyMarker
}

// readElementKey appends the element at the start of key with its size in front.
func readElementKey(t *Type, dst, key []byte, mask byte) (out, rest []byte, err error) {
	at := len(dst)
	dst, rest, err = t.codec.readKey(append(dst, 0, 0, 0, 0), key, mask)
	if err != nil {
		return dst, nil, err
	}
	appendInt(dst[:at], 4, int64(len(dst)-at-4))
	return dst, rest, nil
}

// readCollectionKey reads the elements of a list, set or map up to keyEnd.
func (c compositeCodec) readCollectionKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for i := 0; ; i++ {
		if c.marked(i) {
			if len(key) == 0 {
				return dst, nil, errKeyTruncated
			}
			marker := key[0] ^ mask
			key = key[1:]
			if marker == keyEnd {
				AppendCount(dst[:at], i/c.t.perEntry())
				return dst, key, nil
			}
			if marker != keyElement {
				return dst, nil, errKeyMarker
			}
		}
		if dst, key, err = readElementKey(c.t.elementType(i), dst, key, mask); err != nil {
			return dst, nil, err
		}
	}
}

// readFieldsKey reads the fields of a tuple or UDT up to keyEnd. All fields that the type has are in the
// result, as in the values that drivers send.
func (c compositeCodec) readFieldsKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	lastNull := false
	for i := 0; ; i++ {
		if len(key) == 0 {
			return dst, nil, errKeyTruncated
		}
		marker := key[0] ^ mask
		key = key[1:]
		switch {
		case marker == keyEnd && lastNull:
			return dst, nil, errKeyNotCanonical
		case marker == keyEnd:
			for range len(c.t.elems) - i {
				dst = AppendElement(dst, nil)
			}
			return dst, key, nil
		case i == len(c.t.elems):
			return dst, nil, errKeyTooWide
		case marker == keyNull:
			dst = AppendElement(dst, nil)
		case marker == keyElement:
			if dst, key, err = readElementKey(c.t.elems[i], dst, key, mask); err != nil {
				return dst, nil, err
			}
		default:
			return dst, nil, errKeyMarker
		}
		lastNull = marker == keyNull
	}
}

// readVectorKey reads as many elements as the vector has.
func (c compositeCodec) readVectorKey(dst, key []byte, mask byte) (out, rest []byte, err error) {
	elem := c.t.elems[0]
	fixedSize, fixed := elem.FixedSize()
	for range c.t.dimension {
		start := len(dst)
		if dst, key, err = elem.codec.readKey(dst, key, mask); err != nil {
			return dst, nil, err
		}
		n := len(dst) - start
		if fixed {
			if n != fixedSize {
				return dst, nil, errKeyNotCanonical // an element without its size cannot have another one
			}
			continue
		}
		// The size, which is known only now, goes in front.
		var size [9]byte
		prefix := appendUvint(size[:0], uint64(n))
		dst = append(dst, prefix...)
		copy(dst[start+len(prefix):], dst[start:start+n])
		copy(dst[start:], prefix)
	}
	return dst, key, nil
}

func (c compositeCodec) skipKey(key []byte, mask byte) (rest []byte, err error) {
	if len(key) == 0 {
		return nil, errKeyTruncated
	}
	marker := key[0] ^ mask
	key = key[1:]
	switch marker {
	case markEmpty:
		return key, nil
	case markRaw:
		return skipEscaped(key, mask)
	case markValue:
	default:
		return nil, errKeyMarker
	}
	for i := 0; c.t.kind != KindVector || i < c.t.dimension; i++ {
		if c.marked(i) {
			if len(key) == 0 {
				return nil, errKeyTruncated
			}
			marker := key[0] ^ mask
			key = key[1:]
			switch {
			case marker == keyEnd:
				return key, nil
			case c.optional() && i == len(c.t.elems):
				return nil, errKeyTooWide
			case marker == keyNull && c.optional():
				continue
			case marker != keyElement:
				return nil, errKeyMarker
			}
		}
		if key, err = c.t.elementType(i).codec.skipKey(key, mask); err != nil {
			return nil, err
		}
	}
	return key, nil
}

func (compositeCodec) accepts(LiteralKind) bool { return false }

// fromLiteral is not reached: accepts refuses every kind.
func (c compositeCodec) fromLiteral(k LiteralKind, text string) ([]byte, error) {
	return nil, invalid("Invalid %s constant (%s) for type %s", k, text, c.t)
}

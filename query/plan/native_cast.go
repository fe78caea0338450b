package plan

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// castFunctions returns the signatures that convert to a type.
func castFunctions(to *cqltype.Type) []*function {
	name := "cast_as_" + to.String()
	var out []*function
	add := func(from *cqltype.Type, convert func(v []byte) []byte) {
		out = append(out, &function{name: name, arguments: []*cqltype.Type{from}, result: to, eval: func(_ *Binding, arguments [][]byte) ([]byte, error) {
			if len(arguments[0]) == 0 {
				return nil, nil
			}
			return convert(arguments[0]), nil
		}})
	}
	isText := to == cqltype.TypeText || to == cqltype.TypeASCII
	_, isNumber := sums[to.Kind()]
	for _, from := range []*cqltype.Type{cqltype.TypeTinyint, cqltype.TypeSmallint, cqltype.TypeInt, cqltype.TypeBigint, cqltype.TypeFloat,
		cqltype.TypeDouble, cqltype.TypeDecimal, cqltype.TypeCounter, cqltype.TypeVarint} {
		switch {
		case isText:
			add(from, func(v []byte) []byte { return castText(from, v) })
		case isNumber && to != cqltype.TypeCounter && from != to:
			add(from, func(v []byte) []byte { return castNumber(from, to, v) })
		}
	}
	if to == cqltype.TypeText {
		add(cqltype.TypeASCII, func(v []byte) []byte { return v })
	}
	for _, from := range []*cqltype.Type{cqltype.TypeInet, cqltype.TypeBoolean, cqltype.TypeTimeUUID, cqltype.TypeTimestamp, cqltype.TypeDate,
		cqltype.TypeTime, cqltype.TypeUUID} {
		isTime := from == cqltype.TypeTimeUUID || from == cqltype.TypeTimestamp || from == cqltype.TypeDate
		switch {
		case isText:
			add(from, func(v []byte) []byte { return castText(from, v) })
		case isTime && from != to && (to == cqltype.TypeDate || to == cqltype.TypeTimestamp):
			add(from, func(v []byte) []byte { return ofMillis(to, millisOf(from, v)) })
		}
	}
	return out
}

// castText writes a value as CQL does, without quotes.
func castText(t *cqltype.Type, v []byte) []byte {
	switch t.Kind() {
	case cqltype.KindFloat:
		return []byte(javaFloat(numberOf(t, v).float, 32))
	case cqltype.KindDouble:
		return []byte(javaFloat(numberOf(t, v).float, 64))
	case cqltype.KindCounter:
		return strconv.AppendInt(nil, signed(v), 10)
	}
	text := t.AppendLiteral(nil, v)
	return []byte(strings.Trim(string(text), "'"))
}

// javaFloat writes a floating-point number as Java does.
func javaFloat(f float64, size int) string {
	switch {
	case f != f:
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return strconv.FormatFloat(f, 'f', 1, size) // with its sign
	}
	magnitude := max(f, -f)
	if magnitude >= 1e-3 && magnitude < 1e7 {
		text := strconv.FormatFloat(f, 'f', -1, size)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, size), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	exp, _ := strconv.Atoi(exponent) // FormatFloat wrote it
	return mantissa + "E" + strconv.Itoa(exp)
}

// castNumber converts between numeric types as Java's Number does.
func castNumber(from, to *cqltype.Type, v []byte) []byte {
	n := numberOf(from, v)
	out := number{kind: to.Kind()}
	switch to.Kind() {
	case cqltype.KindFloat, cqltype.KindDouble:
		out.float = n.toFloat()
	case cqltype.KindDecimal:
		out.decimal = castDecimal(n)
	default:
		whole := n.truncate(sizeOf(to))
		out.whole, out.big = lowBits(whole), whole
	}
	return out.encode(to)
}

func castDecimal(n number) cqltype.Decimal {
	switch {
	case n.kind == cqltype.KindFloat && n.float-n.float == 0:
		return decimalOfFloat(n.float, 32)
	case n.kind == cqltype.KindDouble && n.float-n.float == 0:
		return decimalOfFloat(n.float, 64)
	case n.kind == cqltype.KindFloat || n.kind == cqltype.KindDouble:
		return cqltype.Decimal{Unscaled: new(big.Int)}
	}
	return cqltype.Decimal{Unscaled: n.toBig()}
}

// truncate returns the whole part of a number; floating-point numbers are cut to a long, or an int if size is less.
func (n number) truncate(size int) *big.Int {
	switch n.kind {
	case cqltype.KindFloat, cqltype.KindDouble:
		return big.NewInt(wholeOfFloat(n.float, min(size, 8)))
	case cqltype.KindDecimal:
		if n.decimal.Scale <= 0 && n.decimal.Scale >= -maxScaleGap {
			return rescale(n.decimal, 0)
		}
		if n.decimal.Scale < 0 || int(n.decimal.Scale) > digits(n.decimal.Unscaled) {
			return new(big.Int)
		}
		return new(big.Int).Quo(n.decimal.Unscaled, powerOfTen(int(n.decimal.Scale)))
	}
	return n.toBig()
}

// lowBits returns the lowest 64 bits of a number in two's complement.
func lowBits(n *big.Int) int64 {
	mask := new(big.Int).SetUint64(1<<64 - 1)
	return int64(mask.And(mask, n).Uint64())
}

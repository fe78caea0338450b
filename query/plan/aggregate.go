package plan

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// An aggregator computes one value of many.
type aggregator interface {
	add(v []byte) error // nil is null
	// result appends the value; ok is false for null.
	result(dst []byte) (out []byte, ok bool)
}

// An aggregateCall is what a group of rows is asked for.
type aggregateCall struct {
	argument Term // nil for count(*)
	start    func() aggregator
}

// An aggregateTerm is the result of one for the group at hand.
type aggregateTerm struct {
	index int
	text  string
}

// Eval returns the result.
func (a *aggregateTerm) Eval(b *Binding) (Value, error) {
	if out, ok := b.group[a.index].result([]byte{}); ok {
		return Value{Bytes: out}, nil
	}
	return Value{}, nil
}

func (a *aggregateTerm) String() string { return a.text }

// aggregate adds something that is asked of each group.
func (p *planner) aggregate(argument Term, start func() aggregator) Term {
	p.aggregates = append(p.aggregates, aggregateCall{argument, start})
	t := &aggregateTerm{index: len(p.aggregates) - 1, text: "count(*)"}
	if argument != nil {
		t.text = argument.String()
	}
	return t
}

// An Aggregation computes the values of one group of rows after the other.
type Aggregation struct {
	calls []aggregateCall
}

// NewAggregation starts a computation whose groups are kept in b.
func (s *Select) NewAggregation(b *Binding) *Aggregation {
	a := &Aggregation{s.aggregates}
	a.Reset(b)
	return a
}

// Reset begins a new group.
func (a *Aggregation) Reset(b *Binding) {
	b.group = make([]aggregator, len(a.calls))
	for i := range a.calls {
		b.group[i] = a.calls[i].start()
	}
}

// Add takes b.Row into the group.
func (a *Aggregation) Add(b *Binding) error {
	for i := range a.calls {
		v := Value{}
		if t := a.calls[i].argument; t != nil {
			var err error
			if v, err = t.Eval(b); err != nil {
				return err
			}
		}
		if err := b.group[i].add(v.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// sumFunctions returns the signatures of sum or avg.
func sumFunctions(name string) []*function {
	var out []*function
	for _, t := range []*cqltype.Type{cqltype.TypeTinyint, cqltype.TypeSmallint, cqltype.TypeInt, cqltype.TypeBigint, cqltype.TypeCounter,
		cqltype.TypeVarint, cqltype.TypeFloat, cqltype.TypeDouble, cqltype.TypeDecimal} {
		result := t
		if t == cqltype.TypeCounter {
			result = cqltype.TypeBigint
		}
		average := name == "avg"
		f := &function{name: name, arguments: []*cqltype.Type{t}, result: result}
		f.aggregate = func() aggregator {
			switch sums[t.Kind()] {
			case integers:
				return &integerSum{argument: t, typ: result, average: average}
			case floats:
				return &floatSum{typ: result, average: average}
			default:
				return &decimalSum{average: average}
			}
		}
		out = append(out, f)
	}
	return out
}

// firstValue is what the first row of a group has.
type firstValue struct {
	value []byte
	any   bool
}

func (a *firstValue) add(v []byte) error {
	if !a.any {
		a.value, a.any = bytes.Clone(v), true
	}
	return nil
}

func (a *firstValue) result(dst []byte) ([]byte, bool) {
	return append(dst, a.value...), a.value != nil
}

// A sumKind is the arithmetic that sums of a type are computed in.
type sumKind uint8

const (
	integers sumKind = iota
	floats
	decimals
)

var sums = map[cqltype.Kind]sumKind{
	cqltype.KindTinyint: integers, cqltype.KindSmallint: integers, cqltype.KindInt: integers, cqltype.KindBigint: integers,
	cqltype.KindCounter: integers, cqltype.KindVarint: integers,
	cqltype.KindFloat: floats, cqltype.KindDouble: floats, cqltype.KindDecimal: decimals,
}

// rowCount is count(*).
type rowCount struct{ n int64 }

func newRowCount() aggregator { return &rowCount{} }

func (a *rowCount) add([]byte) error { a.n++; return nil }

func (a *rowCount) result(dst []byte) ([]byte, bool) {
	return binary.BigEndian.AppendUint64(dst, uint64(a.n)), true
}

// valueCount is count(column): it does not count nulls.
type valueCount struct{ rowCount }

func (a *valueCount) add(v []byte) error {
	if v != nil {
		a.n++
	}
	return nil
}

// extreme is min or max.
type extreme struct {
	typ      *cqltype.Type
	greatest bool
	best     []byte
}

func (a *extreme) add(v []byte) error {
	if v == nil {
		return nil
	}
	if a.best != nil {
		order := a.typ.Compare(v, a.best)
		if order == 0 || (order > 0) != a.greatest {
			return nil
		}
	}
	a.best = notNil(bytes.Clone(v))
	return nil
}

func (a *extreme) result(dst []byte) ([]byte, bool) { return append(dst, a.best...), a.best != nil }

// integerSum is sum or avg of whole numbers: exact, and at the end cut to the width of the
// column's type, as Java's arithmetic does.
type integerSum struct {
	argument *cqltype.Type
	typ      *cqltype.Type // of the result
	average  bool
	sum      big.Int
	n        int64
}

func (a *integerSum) add(v []byte) error {
	if len(v) == 0 {
		return nil
	}
	a.sum.Add(&a.sum, numberOf(a.argument, v).toBig())
	a.n++
	return nil
}

// signed reads a whole number of one to eight bytes.
func signed(b []byte) int64 {
	n := int64(int8(b[0]))
	for _, x := range b[1:] {
		n = n<<8 | int64(x)
	}
	return n
}

func (a *integerSum) result(dst []byte) ([]byte, bool) {
	total := new(big.Int).Set(&a.sum)
	if a.average && a.n > 0 {
		total.Quo(total, big.NewInt(a.n))
	}
	return append(dst, number{big: total, whole: lowBits(total)}.encode(a.typ)...), true
}

// floatSum is sum or avg of floats and doubles, with compensation for what rounding loses. An
// average is right even if the sum is too large for a double.
type floatSum struct {
	typ     *cqltype.Type
	average bool
	sum     compensated
	small   compensated // of the numbers divided by smaller
	simple  float64
	n       int64
}

// smaller is a power of two, so that dividing by it loses nothing but the least of numbers.
const smaller = 1 << 60

// compensated is a sum by Kahan's method.
type compensated struct{ sum, lost float64 }

func (c *compensated) add(number float64) {
	y := number - c.lost
	t := c.sum + y
	c.lost = (t - c.sum) - y
	c.sum = t
}

func (a *floatSum) add(v []byte) error {
	if len(v) == 0 {
		return nil
	}
	number := numberOf(a.typ, v).float
	a.n++
	a.simple += number
	a.sum.add(number)
	a.small.add(number / smaller)
	return nil
}

func (a *floatSum) result(dst []byte) ([]byte, bool) {
	total := a.sum.sum + a.sum.lost
	if math.IsNaN(total) && math.IsInf(a.simple, 0) {
		total = a.simple
	}
	if a.average && a.n > 0 {
		finite := !math.IsNaN(total) && !math.IsInf(total, 0)
		if small := a.small.sum / float64(a.n) * smaller; finite || math.IsNaN(small) || math.IsInf(small, 0) {
			total /= float64(a.n)
		} else {
			total = small
		}
	}
	if a.typ.Kind() == cqltype.KindFloat {
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(total))), true
	}
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(total)), true
}

// decimalSum is sum or avg of decimals. As in Cassandra the average is a running one, rounded half
// to even at the scale of the numbers seen so far.
type decimalSum struct {
	average bool
	value   cqltype.Decimal // the sum, or the average so far
	n       int64
}

func (a *decimalSum) add(v []byte) error {
	if len(v) == 0 {
		return nil
	}
	var d cqltype.Decimal
	if err := cqltype.TypeDecimal.Decode(v, &d); err != nil {
		return err
	}
	a.n++
	if a.value.Unscaled == nil {
		a.value.Unscaled = new(big.Int)
	}
	scale := max(a.value.Scale, d.Scale)
	if int64(scale)-int64(min(a.value.Scale, d.Scale)) > maxScaleGap {
		return schema.Invalid("decimals that differ too much in scale cannot be added")
	}
	before, number := rescale(a.value, scale), rescale(d, scale)
	if a.average {
		number = divideHalfEven(number.Sub(number, before), big.NewInt(a.n))
	}
	a.value = cqltype.Decimal{Unscaled: before.Add(before, number), Scale: scale}
	return nil
}

// rescale returns the unscaled value of d at a scale that is not less than its own, in memory of its own.
func rescale(d cqltype.Decimal, scale int32) *big.Int {
	factor := powerOfTen(int(scale - d.Scale))
	return factor.Mul(factor, d.Unscaled)
}

func (a *decimalSum) result(dst []byte) ([]byte, bool) {
	value := a.value
	if value.Unscaled == nil {
		value.Unscaled = new(big.Int)
	}
	out, _, err := cqltype.TypeDecimal.AppendEncode(dst, value)
	return out, err == nil
}

func divideHalfEven(n, d *big.Int) *big.Int {
	quotient, rest := new(big.Int).QuoRem(n, d, new(big.Int))
	twice := new(big.Int).Abs(rest)
	twice.Lsh(twice, 1)
	switch c := twice.Cmp(d); {
	case c > 0, c == 0 && quotient.Bit(0) == 1:
		quotient.Add(quotient, big.NewInt(int64(n.Sign())))
	}
	return quotient
}

package plan

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"strconv"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// numericTypes returns the types that arithmetic takes, in the order in which signatures are tried.
func numericTypes() []*cqltype.Type {
	return []*cqltype.Type{cqltype.TypeTinyint, cqltype.TypeSmallint, cqltype.TypeInt, cqltype.TypeBigint, cqltype.TypeFloat,
		cqltype.TypeDouble, cqltype.TypeDecimal, cqltype.TypeVarint, cqltype.TypeCounter}
}

// operations returns the signatures of an arithmetic operator with two operands.
func operations(operator ast.Operator) []*function {
	numbers := numericTypes()
	out := make([]*function, 0, len(numbers)*len(numbers)+2)
	for _, left := range numbers {
		for _, right := range numbers {
			out = append(out, operation2(operator, left, right))
		}
	}
	if operator != '+' && operator != '-' {
		return out
	}
	if operator == '+' {
		out = append(out, concatenations()...)
	}
	sign := map[ast.Operator]int64{'+': 1, '-': -1}[operator]
	for _, t := range []*cqltype.Type{cqltype.TypeTimestamp, cqltype.TypeDate} {
		f := &function{name: operatorName(operator), operator: operator, arguments: []*cqltype.Type{t, cqltype.TypeDuration}, result: t}
		f.eval = f.guarded(func(arguments [][]byte) ([]byte, error) { return addDuration(t, arguments[0], arguments[1], sign) })
		out = append(out, f)
	}
	return out
}

// concatenations returns the signatures of + for text and ascii.
func concatenations() []*function {
	var out []*function
	for _, left := range []*cqltype.Type{cqltype.TypeText, cqltype.TypeASCII} {
		for _, right := range []*cqltype.Type{cqltype.TypeText, cqltype.TypeASCII} {
			f := &function{name: operatorName('+'), operator: '+', arguments: []*cqltype.Type{left, right}, result: cqltype.TypeText}
			if left == right {
				f.result = left
			}
			f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) {
				if arguments[0] == nil || arguments[1] == nil {
					return nil, nil
				}
				return append(append([]byte{}, arguments[0]...), arguments[1]...), nil
			}
			out = append(out, f)
		}
	}
	return out
}

// operatorName returns how Cassandra calls an operator where a function has a name.
func operatorName(operator ast.Operator) string {
	return map[ast.Operator]string{'+': "_add", '-': "_substract", '*': "_multiply", '/': "_divide", '%': "_modulo"}[operator]
}

// operation2 is an operator for two types of numbers.
func operation2(operator ast.Operator, left, right *cqltype.Type) *function {
	f := &function{name: operatorName(operator), operator: operator, arguments: []*cqltype.Type{left, right}, result: commonType(left, right)}
	f.eval = f.guarded(func(arguments [][]byte) ([]byte, error) {
		return compute(operator, f.result, numberOf(left, arguments[0]), numberOf(right, arguments[1]))
	})
	return f
}

// negations returns the signatures of the sign.
func negations() []*function {
	var out []*function
	for _, t := range numericTypes() {
		f := &function{name: "_negate", operator: '-', arguments: []*cqltype.Type{t}, result: t}
		f.eval = f.guarded(func(arguments [][]byte) ([]byte, error) {
			return numberOf(t, arguments[0]).negate().encode(t), nil
		})
		out = append(out, f)
	}
	return out
}

// guarded makes an operation null if an operand is, and words its errors.
func (f *function) guarded(eval func([][]byte) ([]byte, error)) func(*Binding, [][]byte) ([]byte, error) {
	return func(_ *Binding, arguments [][]byte) ([]byte, error) {
		for _, a := range arguments {
			if len(a) == 0 {
				return nil, nil
			}
		}
		out, err := eval(arguments)
		if err == nil {
			return out, nil
		}
		var types []string
		for _, t := range f.arguments {
			types = append(types, t.String())
		}
		return nil, &schema.FunctionFailedError{Keyspace: "system", Function: string(rune(f.operator)), Arguments: types,
			Message: "the operation '" + types[0] + " " + string(rune(f.operator)) + " " + types[1] + "' failed: " + err.Error()}
	}
}

// sizeOf returns how many bytes a number of type t has, which decides what type a result has.
func sizeOf(t *cqltype.Type) int {
	switch t.Kind() {
	case cqltype.KindTinyint:
		return 1
	case cqltype.KindSmallint:
		return 2
	case cqltype.KindInt, cqltype.KindFloat:
		return 4
	case cqltype.KindBigint, cqltype.KindCounter, cqltype.KindDouble:
		return 8
	default:
		return 16
	}
}

func isFloating(t *cqltype.Type) bool {
	k := t.Kind()
	return k == cqltype.KindFloat || k == cqltype.KindDouble || k == cqltype.KindDecimal
}

// commonType returns the type of the result of an operation on two numbers.
func commonType(left, right *cqltype.Type) *cqltype.Type {
	size := max(sizeOf(left), sizeOf(right))
	if isFloating(left) || isFloating(right) {
		switch {
		case size <= 4:
			return cqltype.TypeFloat
		case size == 8:
			return cqltype.TypeDouble
		}
		return cqltype.TypeDecimal
	}
	switch size {
	case 1:
		return cqltype.TypeTinyint
	case 2:
		return cqltype.TypeSmallint
	case 4:
		return cqltype.TypeInt
	case 8:
		return cqltype.TypeBigint
	}
	return cqltype.TypeVarint
}

// A number is a value of a numeric type, taken out of its encoding.
type number struct {
	kind    cqltype.Kind
	whole   int64           // of up to 64 bits
	float   float64         // float and double
	big     *big.Int        // varint
	decimal cqltype.Decimal // decimal
}

// numberOf decodes a number, which is not empty.
func numberOf(t *cqltype.Type, v []byte) number {
	n := number{kind: t.Kind()}
	switch n.kind {
	case cqltype.KindFloat:
		n.float = float64(math.Float32frombits(binary.BigEndian.Uint32(v)))
	case cqltype.KindDouble:
		n.float = math.Float64frombits(binary.BigEndian.Uint64(v))
	case cqltype.KindVarint:
		n.big = bigOf(v)
	case cqltype.KindDecimal:
		n.decimal = cqltype.Decimal{Scale: int32(binary.BigEndian.Uint32(v)), Unscaled: bigOf(v[4:])}
	default:
		n.whole = signed(v)
	}
	return n
}

// bigOf decodes a varint.
func bigOf(v []byte) *big.Int {
	n := new(big.Int).SetBytes(v)
	if len(v) > 0 && v[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	return n
}

// encode encodes a number as a type of the same family.
func (n number) encode(t *cqltype.Type) []byte {
	switch t.Kind() {
	case cqltype.KindFloat:
		return binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(n.float)))
	case cqltype.KindDouble:
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(n.float))
	case cqltype.KindVarint:
		out, _, _ := t.AppendEncode(nil, n.big) // a *big.Int always fits
		return out
	case cqltype.KindDecimal:
		out, _, _ := t.AppendEncode(nil, n.decimal)
		return out
	}
	size := sizeOf(t)
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(n.whole >> (8 * (size - 1 - i)))
	}
	return out
}

func (n number) negate() number {
	switch n.kind {
	case cqltype.KindFloat, cqltype.KindDouble:
		n.float = -n.float
	case cqltype.KindVarint:
		n.big = new(big.Int).Neg(n.big)
	case cqltype.KindDecimal:
		n.decimal.Unscaled = new(big.Int).Neg(n.decimal.Unscaled)
	default:
		n.whole = -n.whole
	}
	return n
}

// toFloat, toBig and toDecimal convert a number as Java does.
func (n number) toFloat() float64 {
	switch n.kind {
	case cqltype.KindFloat, cqltype.KindDouble:
		return n.float
	case cqltype.KindVarint:
		f, _ := new(big.Float).SetInt(n.big).Float64()
		return f
	case cqltype.KindDecimal:
		f, _ := strconv.ParseFloat(n.decimal.String(), 64) // infinite if it is out of range
		return f
	default:
		return float64(n.whole)
	}
}

func (n number) toBig() *big.Int {
	if n.big != nil {
		return n.big
	}
	return big.NewInt(n.whole)
}

func (n number) toDecimal() (cqltype.Decimal, error) {
	switch n.kind {
	case cqltype.KindDecimal:
		return n.decimal, nil
	case cqltype.KindVarint:
		return cqltype.Decimal{Unscaled: n.big}, nil
	}
	f := n.toFloat()
	switch {
	case math.IsNaN(f):
		return cqltype.Decimal{}, valueErrorf("A NaN cannot be converted into a decimal")
	case math.IsInf(f, 0):
		return cqltype.Decimal{}, valueErrorf("An infinite number cannot be converted into a decimal")
	}
	return decimalOfFloat(f, 64), nil
}

// compute carries out an operation on two numbers in the arithmetic of the result's type.
func compute(operator ast.Operator, t *cqltype.Type, left, right number) ([]byte, error) {
	out := number{kind: t.Kind()}
	var err error
	switch t.Kind() {
	case cqltype.KindFloat:
		l, r := float32(left.toFloat()), float32(right.toFloat())
		out.float = float64(float32(computeFloat(operator, float64(l), float64(r))))
	case cqltype.KindDouble:
		out.float = computeFloat(operator, left.toFloat(), right.toFloat())
	case cqltype.KindVarint:
		out.big, err = computeBig(operator, left.toBig(), right.toBig())
	case cqltype.KindDecimal:
		var l, r cqltype.Decimal
		if l, err = left.toDecimal(); err == nil {
			r, err = right.toDecimal()
		}
		if err == nil {
			out.decimal, err = computeDecimal(operator, l, r)
		}
	default:
		out.whole, err = computeWhole(operator, left.whole, right.whole)
	}
	if err != nil {
		return nil, err
	}
	return out.encode(t), nil
}

func computeFloat(operator ast.Operator, l, r float64) float64 {
	switch operator {
	case '+':
		return l + r
	case '-':
		return l - r
	case '*':
		return l * r
	case '/':
		return l / r
	default:
		return math.Mod(l, r)
	}
}

// computeWhole wraps around as Java does; encode cuts the result to the type's width.
func computeWhole(operator ast.Operator, l, r int64) (int64, error) {
	switch {
	case operator == '+':
		return l + r, nil
	case operator == '-':
		return l - r, nil
	case operator == '*':
		return l * r, nil
	case r == 0:
		return 0, errors.New("/ by zero")
	case operator == '/':
		return l / r, nil
	default:
		return l % r, nil
	}
}

func computeBig(operator ast.Operator, l, r *big.Int) (*big.Int, error) {
	out := new(big.Int)
	switch {
	case operator == '+':
		return out.Add(l, r), nil
	case operator == '-':
		return out.Sub(l, r), nil
	case operator == '*':
		return out.Mul(l, r), nil
	case r.Sign() == 0:
		return nil, errors.New("BigInteger divide by zero")
	case operator == '/':
		return out.Quo(l, r), nil
	default:
		return out.Rem(l, r), nil
	}
}

// mathFunctions returns the signatures of abs, exp, log, log10 or round.
func mathFunctions(name string) []*function {
	var out []*function
	for _, t := range []*cqltype.Type{cqltype.TypeTinyint, cqltype.TypeSmallint, cqltype.TypeInt, cqltype.TypeFloat, cqltype.TypeBigint,
		cqltype.TypeDouble, cqltype.TypeVarint, cqltype.TypeDecimal, cqltype.TypeCounter} {
		f := &function{name: name, arguments: []*cqltype.Type{t}, result: t}
		out = append(out, f)
		if t == cqltype.TypeDecimal && name != "abs" && name != "round" {
			continue // not supported yet
		}
		f.eval = func(_ *Binding, arguments [][]byte) ([]byte, error) {
			if len(arguments[0]) == 0 {
				return nil, nil
			}
			n, err := mathematics(name, t, numberOf(t, arguments[0]))
			if err != nil {
				return nil, err
			}
			return n.encode(t), nil
		}
	}
	return out
}

func mathematics(name string, t *cqltype.Type, n number) (number, error) {
	switch name {
	case "abs":
		if n.whole < 0 || n.big != nil && n.big.Sign() < 0 || n.kind == cqltype.KindDecimal && n.decimal.Unscaled.Sign() < 0 {
			return n.negate(), nil
		}
		n.float = math.Abs(n.float)
		return n, nil
	case "round":
		return roundNumber(n), nil
	}
	f := n.toFloat()
	switch name {
	case "exp":
		f = math.Exp(f)
	case "log":
		f = math.Log(f)
	default:
		f = math.Log10(f)
	}
	switch {
	case isFloating(t):
		n.float = f
	case n.kind == cqltype.KindVarint:
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return n, &schema.FunctionFailedError{Keyspace: "system", Function: name, Arguments: []string{t.String()}, Message: "Infinite or NaN"}
		}
		n.big, _ = new(big.Float).SetFloat64(f).Int(nil)
	default:
		n.whole = wholeOfFloat(f, sizeOf(t))
	}
	return n, nil
}

// wholeOfFloat converts as Java does: to the nearest number that a long, or for smaller types an int, can hold.
func wholeOfFloat(f float64, size int) int64 {
	low, high := float64(math.MinInt64), float64(math.MaxInt64)
	if size < 8 {
		low, high = math.MinInt32, math.MaxInt32
	}
	switch {
	case math.IsNaN(f):
		return 0
	case f <= low:
		return int64(low)
	case f >= high && size < 8:
		return math.MaxInt32
	case f >= high:
		return math.MaxInt64
	}
	return int64(f)
}

// roundHalfUp rounds to a whole number. Adding a half would round too early: to 1 what is just below a half.
func roundHalfUp(f float64) float64 {
	whole := math.Floor(f)
	if f-whole >= 0.5 {
		whole++
	}
	return whole
}

// roundNumber rounds half up; whole numbers are what they are.
func roundNumber(n number) number {
	switch n.kind {
	case cqltype.KindFloat:
		n.float = float64(wholeOfFloat(roundHalfUp(n.float), 4))
	case cqltype.KindDouble:
		n.float = float64(wholeOfFloat(roundHalfUp(n.float), 8))
	case cqltype.KindDecimal:
		n.decimal = roundScale(n.decimal, 0)
	}
	return n
}

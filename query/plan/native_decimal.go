package plan

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema/cqltype"
)

const (
	minDecimalScale = 32   // of quotients, and how many significant digits they have at least
	maxDecimalScale = 1000 // of quotients
	maxScaleGap     = 65536
	maxDigits       = 10000 // of sums and products
)

// computeDecimal carries out an operation as java.math.BigDecimal does it for Cassandra.
func computeDecimal(operator ast.Operator, l, r cqltype.Decimal) (cqltype.Decimal, error) {
	if operator == '*' {
		if scale := int64(l.Scale) + int64(r.Scale); scale != int64(int32(scale)) {
			return l, errors.New("Overflow")
		}
		return roundDigits(cqltype.Decimal{Unscaled: new(big.Int).Mul(l.Unscaled, r.Unscaled), Scale: l.Scale + r.Scale}), nil
	}
	gap := int64(l.Scale) - int64(r.Scale)
	if gap > maxScaleGap || gap < -maxScaleGap {
		return l, errors.New("the scales differ too much")
	}
	scale := max(l.Scale, r.Scale)
	switch operator {
	case '/':
		return divideDecimal(l, r)
	case '%':
		return remainder(l, r)
	}
	left, right := rescale(l, scale), rescale(r, scale)
	if operator == '-' {
		right.Neg(right)
	}
	return roundDigits(cqltype.Decimal{Unscaled: left.Add(left, right), Scale: scale}), nil
}

// roundDigits rounds half up to the digits that a result may have.
func roundDigits(d cqltype.Decimal) cqltype.Decimal {
	if d.Unscaled.BitLen() <= maxDigits*3 { // there are more than three bits in a digit
		return d
	}
	if excess := digits(d.Unscaled) - maxDigits; excess > 0 && int64(d.Scale)-int64(excess) >= math.MinInt32 {
		return cqltype.Decimal{Unscaled: divideHalfUp(d.Unscaled, powerOfTen(excess)), Scale: d.Scale - int32(excess)}
	}
	return d
}

func zeroDivisor(l, r cqltype.Decimal) error {
	switch {
	case r.Unscaled.Sign() != 0:
		return nil
	case l.Unscaled.Sign() == 0:
		return valueErrorf("Division undefined")
	default:
		return valueErrorf("Division by zero")
	}
}

// digits returns the number of decimal digits of a number.
func digits(n *big.Int) int { return len(new(big.Int).Abs(n).String()) }

// divideDecimal gives a quotient at least 32 significant digits, and strips the zeros at their end.
func divideDecimal(l, r cqltype.Decimal) (cqltype.Decimal, error) {
	if r.Unscaled.Sign() == 0 {
		return l, errors.New("BigInteger divide by zero")
	}
	first := (digits(l.Unscaled) - int(l.Scale)) - (digits(r.Unscaled) - int(r.Scale))
	scale := max(minDecimalScale-first, int(l.Scale), int(r.Scale), minDecimalScale)
	scale = min(scale, maxDecimalScale)
	shift := scale - int(l.Scale) + int(r.Scale)
	n, d := new(big.Int).Set(l.Unscaled), new(big.Int).Set(r.Unscaled)
	if shift >= 0 {
		n.Mul(n, powerOfTen(shift))
	} else {
		d.Mul(d, powerOfTen(-shift))
	}
	return stripZeros(cqltype.Decimal{Unscaled: divideHalfUp(n, d), Scale: int32(scale)}), nil
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func divideHalfUp(n, d *big.Int) *big.Int {
	quotient, rest := new(big.Int).QuoRem(n, d, new(big.Int))
	if twice := rest.Lsh(rest.Abs(rest), 1); twice.CmpAbs(d) >= 0 {
		quotient.Add(quotient, big.NewInt(int64(n.Sign()*d.Sign())))
	}
	return quotient
}

func stripZeros(d cqltype.Decimal) cqltype.Decimal {
	if d.Unscaled.Sign() == 0 {
		return cqltype.Decimal{Unscaled: new(big.Int)}
	}
	ten, rest := big.NewInt(10), new(big.Int)
	for {
		quotient, _ := new(big.Int).QuoRem(d.Unscaled, ten, rest)
		if rest.Sign() != 0 {
			return d
		}
		d.Unscaled, d.Scale = quotient, d.Scale-1
	}
}

func remainder(l, r cqltype.Decimal) (cqltype.Decimal, error) {
	if err := zeroDivisor(l, r); err != nil {
		return l, err
	}
	scale := max(l.Scale, r.Scale)
	rest := new(big.Int).Rem(rescale(l, scale), rescale(r, scale))
	out := cqltype.Decimal{Unscaled: rest, Scale: scale}
	return out, nil
}

// roundScale rounds half up to a scale, unless the number has no more digits.
func roundScale(d cqltype.Decimal, scale int32) cqltype.Decimal {
	if d.Scale <= scale {
		if int64(scale)-int64(d.Scale) > maxScaleGap {
			return d // written out it would fill the memory
		}
		return cqltype.Decimal{Unscaled: rescale(d, scale), Scale: scale}
	}
	if int64(d.Scale)-int64(scale) > maxScaleGap {
		return cqltype.Decimal{Unscaled: new(big.Int), Scale: scale}
	}
	return cqltype.Decimal{Unscaled: divideHalfUp(d.Unscaled, powerOfTen(int(d.Scale-scale))), Scale: scale}
}

// decimalOfFloat returns the decimal that Java writes for a floating-point number of that many bits: always with
// a digit behind the point.
func decimalOfFloat(f float64, size int) cqltype.Decimal {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, size), "e")
	exp, _ := strconv.Atoi(exponent) // FormatFloat wrote it
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if exp >= -3 && exp < 7 { // Java writes it without an exponent
		scale := max(1, len(fraction)-exp)
		fraction += strings.Repeat("0", scale+exp-len(fraction))
		unscaled, _ := new(big.Int).SetString(whole+fraction, 10)
		return cqltype.Decimal{Unscaled: unscaled, Scale: int32(scale)}
	}
	if fraction == "" {
		fraction = "0"
	}
	unscaled, _ := new(big.Int).SetString(whole+fraction, 10)
	return cqltype.Decimal{Unscaled: unscaled, Scale: int32(len(fraction) - exp)}
}

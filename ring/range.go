package ring

import (
	"fmt"
	"math"
)

// A Range is the part of the ring behind Start up to and including End: (Start, End]. If Start is not
// before End, it leads over the end of the ring and on from its beginning; if both are equal, it is
// the whole ring. This is how Cassandra writes ranges.
type Range struct{ Start, End Token }

func (r Range) String() string { return fmt.Sprintf("(%s,%s]", r.Start, r.End) }

// Contains reports whether t lies in the range.
func (r Range) Contains(t Token) bool {
	if r.Start < r.End {
		return r.Start < t && t <= r.End
	}
	return r.Start < t || t <= r.End
}

// Fraction returns the range's share of the ring, above 0 and up to 1.
func (r Range) Fraction() float64 {
	if r.Start == r.End {
		return 1
	}
	return float64(r.width()) / math.Exp2(64)
}

// width returns the number of tokens in the range; 0 stands for all of them, 2^64.
func (r Range) width() uint64 { return uint64(r.End) - uint64(r.Start) }

// split returns the token that divides the range at the given part of its length, which lies between
// 0 and 1.
func (r Range) split(part float64) Token {
	width := r.width()
	if width == 0 {
		width = math.MaxUint64
	}
	return r.Start + Token(uint64(float64(width)*part))
}

// Unwrap returns the range as one or two ranges that do not lead over the end of the ring. A range
// that begins at MinToken is open at its beginning, and one that ends at MinToken at its end.
func (r Range) Unwrap() []Range {
	if r.Start < r.End || r.End == MinToken {
		return []Range{r}
	}
	return []Range{{r.Start, MinToken}, {MinToken, r.End}}
}

package mail

import (
	"math/bits"
	"math/rand/v2"
	"sort"
)

// dice draws the random numbers of one thing that a Generator invents. It uses integers only, and nothing of
// math/rand/v2 but the PCG source, whose sequence is fixed: floating point may round differently on
// another processor, and the same seed must give the same bytes everywhere.
type dice struct{ source *rand.PCG }

// newDice returns the dice for thing number index of a kind. Any two of them are independent.
func newDice(seed uint64, kind diceKind, index uint64) dice {
	high := mix(mix(seed) ^ uint64(kind))
	return dice{rand.NewPCG(high, mix(high^index))}
}

// diceKind tells apart the things that are numbered.
type diceKind uint64

const (
	diceDraft diceKind = iota + 1
	diceDate
	diceSubject
	dicePeople
	diceBody
	dicePerson
	diceContact
	diceMailbox
	diceWord
)

// mix scatters the bits of x (the finalizer of SplitMix64, Steele et al. 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// below64 returns a number from 0 to n-1. n is far below 2^64, so the bias is not worth a second draw.
func (d dice) below64(n uint64) uint64 {
	high, _ := bits.Mul64(d.source.Uint64(), n)
	return high
}

// below returns a number from 0 to n-1.
func (d dice) below(n int) int { return int(d.below64(uint64(n))) }

// between returns a number from low to high.
func (d dice) between(low, high int) int { return low + d.below(high-low+1) }

// chance is true in percent of 100 cases.
func (d dice) chance(percent int) bool { return d.below(100) < percent }

// zipf draws ranks from 0 on, rank r with a probability proportional to 1/(r+1).
type zipf struct{ cumulative []uint64 }

// newZipf returns a distribution over n ranks.
func newZipf(n int) zipf {
	const unit = 1 << 40 // the weight of rank 0; leaves 16 bits to rank 2^24
	z := zipf{cumulative: make([]uint64, n)}
	var sum uint64
	for r := range z.cumulative {
		sum += max(1, unit/uint64(r+1))
		z.cumulative[r] = sum
	}
	return z
}

// draw returns one of the first n ranks; there are at least n.
func (z zipf) draw(d dice, n int) int {
	point := d.below64(z.cumulative[n-1])
	return sort.Search(n, func(r int) bool { return z.cumulative[r] > point })
}

// lengthFactors are exp(x)*256 for 16 values x spread evenly over -0.61 to 0.61.
var lengthFactors = [16]int{139, 151, 164, 177, 192, 209, 227, 246, 267, 289, 314, 340, 369, 401, 434, 471}

// logNormal returns a number of at least 1 with the given median whose logarithm has a standard deviation of 1.06: a
// product of eight factors, which tends to the log-normal distribution as a sum of numbers tends to the normal one.
func (d dice) logNormal(median int) int {
	const scale = 1 << 10
	n := median * scale
	for range 8 {
		n = n * lengthFactors[d.below(len(lengthFactors))] / 256
	}
	return max(1, n/scale)
}

package kv

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Keys chooses keys by chance, out of n. It is immutable.
type Keys struct {
	n       int64
	zipfian bool

	// Of the zipfian distribution, by Gray and others, "Quickly Generating Billion-Record Synthetic
	// Databases", 1994, as YCSB has it.
	zetaN, eta, alpha float64
}

// theta is how uneven the zipfian distribution is: YCSB's figure. The first of a million keys is
// taken by some 6 % of the operations.
const theta = 0.99

// NewKeys returns keys of a distribution, uniform or zipfian.
func NewKeys(distribution string, n int64) (*Keys, error) {
	switch distribution {
	case "uniform":
		return &Keys{n: n}, nil
	case "zipfian":
		k := &Keys{n: n, zipfian: true, alpha: 1 / (1 - theta)}
		for i := int64(1); i <= n; i++ {
			k.zetaN += 1 / math.Pow(float64(i), theta)
		}
		zeta2 := 1 + math.Pow(0.5, theta)
		k.eta = (1 - math.Pow(2/float64(n), 1-theta)) / (1 - zeta2/k.zetaN)
		return k, nil
	default:
		return nil, fmt.Errorf("there is no distribution %q, only uniform and zipfian", distribution)
	}
}

// pick chooses a key.
func (k *Keys) pick(random *rand.Rand) int64 {
	if !k.zipfian {
		return random.Int64N(k.n)
	}
	// The frequent ones are strewn over the range: neighbors are not alike in real data.
	return int64(mix(uint64(k.rank(random.Float64()))+step) % uint64(k.n))
}

// rank returns how many keys are more frequent than the one chosen.
func (k *Keys) rank(u float64) int64 {
	uz := u * k.zetaN
	switch {
	case uz < 1 || k.n == 1:
		return 0
	case uz < 1+math.Pow(0.5, theta):
		return 1
	default:
		return min(int64(float64(k.n)*math.Pow(k.eta*u-k.eta+1, k.alpha)), k.n-1)
	}
}

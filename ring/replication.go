package ring

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// A Replication is how many replicas a keyspace wants, and where. The zero value is LocalStrategy.
type Replication struct {
	strategy    strategy
	factor      int            // in all
	datacenters map[string]int // of NetworkTopologyStrategy; not 0
	names       []string       // of datacenters, in order
}

type strategy uint8

const (
	local strategy = iota
	simple
	networkTopology
)

// Local returns LocalStrategy: each node keeps its own.
func Local() Replication { return Replication{factor: 1} }

// Simple returns SimpleStrategy: the next nodes on the ring, wherever they stand.
func Simple(factor int) Replication { return Replication{strategy: simple, factor: factor} }

// NetworkTopology returns NetworkTopologyStrategy with the number of replicas in each datacenter.
func NetworkTopology(factors map[string]int) Replication {
	r := Replication{strategy: networkTopology, datacenters: map[string]int{}}
	for datacenter, factor := range factors {
		if factor > 0 {
			r.datacenters[datacenter] = factor
			r.factor += factor
		}
	}
	r.names = slices.Sorted(maps.Keys(r.datacenters))
	return r
}

// ParseReplication returns what the class and the options of a keyspace stand for, in the form that
// schema.Replication has them.
func ParseReplication(class string, options map[string]string) (Replication, error) {
	factors := map[string]int{}
	for name, text := range options {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return Replication{}, fmt.Errorf("%s: %s is no number of replicas: %q", class, name, text)
		}
		factors[name] = n
	}
	switch class {
	case "LocalStrategy":
		return Local(), nil
	case "SimpleStrategy":
		return Simple(factors["replication_factor"]), nil
	case "NetworkTopologyStrategy":
		return NetworkTopology(factors), nil
	default:
		return Replication{}, fmt.Errorf("there is no replication strategy %q", class)
	}
}

// Factor returns the number of replicas in all datacenters.
func (r Replication) Factor() int { return r.factor }

// FactorIn returns the number of replicas that count as local in a datacenter. As in Cassandra,
// only NetworkTopologyStrategy knows datacenters: with the others, all replicas count.
func (r Replication) FactorIn(datacenter string) int {
	if r.strategy == networkTopology {
		return r.datacenters[datacenter]
	}
	return r.factor
}

// Datacenters returns, in order of their names, the datacenters that have a number of replicas of
// their own. Only NetworkTopologyStrategy has any. The slice is shared.
func (r Replication) Datacenters() []string { return r.names }

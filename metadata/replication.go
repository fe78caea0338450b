package metadata

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
)

// The replication strategies and their package in Cassandra, which may stand in front of them.
const (
	simpleStrategy   = "SimpleStrategy"
	topologyStrategy = "NetworkTopologyStrategy"
	localStrategy    = "LocalStrategy"

	strategyPackage = "org.apache.cassandra.locator."
)

const (
	classOption  = "class"
	factorOption = "replication_factor"

	defaultDatacenter = "datacenter1"
)

// replication returns what the options of a keyspace stand for. before is what the keyspace had: it
// gives the factors that the options do not.
func (c *Change) replication(keyspace string, options map[string]string, before schema.Replication) (schema.Replication, error) {
	class, ok := options[classOption]
	if !ok {
		return schema.Replication{}, schema.Misconfigured("Missing replication strategy class")
	}
	factors := maps.Clone(options)
	delete(factors, classOption)
	var err error
	switch class = strings.TrimPrefix(class, strategyPackage); class {
	case simpleStrategy:
		factors, err = c.simple(keyspace, factors, before)
	case topologyStrategy:
		factors, err = c.topology(keyspace, factors, before)
	case localStrategy:
		err = schema.Invalid("Unable to use given strategy class: LocalStrategy is reserved for internal use.")
	default:
		if !strings.Contains(class, ".") {
			class = strategyPackage + class
		}
		err = schema.Misconfigured("Unable to find replication strategy class '%s'", class)
	}
	return schema.Replication{Class: class, Options: factors}, err
}

// simple returns the options of SimpleStrategy.
func (c *Change) simple(keyspace string, given map[string]string, before schema.Replication) (map[string]string, error) {
	factor := given[factorOption]
	if _, ok := given[factorOption]; !ok {
		factor = c.defaultFactor()
		if before.Class == simpleStrategy {
			factor = before.Options[factorOption]
		}
	}
	factor, err := parseFactor(factor)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if name != factorOption {
			return nil, unknownStrategyOption(keyspace, simpleStrategy, name)
		}
	}
	return map[string]string{factorOption: factor}, nil
}

// topology returns the options of NetworkTopologyStrategy: one factor for each datacenter that has
// replicas. replication_factor stands for all datacenters that are not named, but leaves alone those
// that the keyspace had.
func (c *Change) topology(keyspace string, given map[string]string, before schema.Replication) (map[string]string, error) {
	factors := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		factor, err := parseFactor(given[name])
		if err != nil {
			return nil, err
		}
		factors[name] = factor
	}
	known := c.Datacenters
	if len(known) == 0 {
		known = []string{defaultDatacenter}
	}
	rest, expand := factors[factorOption]
	delete(factors, factorOption)
	if len(given) == 0 {
		rest, expand = c.defaultFactor(), true
		if before.Class == simpleStrategy {
			rest = before.Options[factorOption]
		}
	}
	if expand {
		if before.Class == topologyStrategy {
			addMissing(factors, before.Options)
		}
		for _, datacenter := range known {
			addMissing(factors, map[string]string{datacenter: rest})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(factors)) {
		if !slices.Contains(known, name) {
			return nil, unknownStrategyOption(keyspace, topologyStrategy, name)
		}
		if factors[name] == "0" {
			delete(factors, name)
		}
	}
	if len(factors) == 0 {
		return nil, schema.Misconfigured("Configuration for at least one datacenter must be present")
	}
	return factors, nil
}

func addMissing(to, from map[string]string) {
	for name, value := range from {
		if _, ok := to[name]; !ok {
			to[name] = value
		}
	}
}

func unknownStrategyOption(keyspace, class, name string) error {
	return schema.Misconfigured("Unrecognized strategy option {%s} passed to %s for keyspace %s", name, class, keyspace)
}

func (c *Change) defaultFactor() string { return strconv.Itoa(max(c.DefaultReplicationFactor, 1)) }

// parseFactor reads a replication factor and returns it as a plain number. Cassandra also takes
// replicas/transient; there are no transient replicas here, as by default there.
func parseFactor(text string) (string, error) {
	parts := strings.Split(text, "/")
	if len(parts) > 2 || len(parts) == 2 && parts[1] == "" {
		return "", schema.Misconfigured("Replication factor format is <replicas> or <replicas>/<transient>")
	}
	var numbers [2]int64
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil {
			return "", schema.Misconfigured(`For input string: "%s"`, part)
		}
		numbers[i] = n
	}
	switch {
	case numbers[1] != 0:
		return "", schema.Misconfigured("Transient replication is not enabled on this node")
	case numbers[0] < 0:
		return "", schema.Misconfigured("Replication factor must be non-negative, found %s", text)
	}
	return strconv.FormatInt(numbers[0], 10), nil
}

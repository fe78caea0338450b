// Package consistency counts the replicas that must answer a request.
//
// A client picks a Level for each request. BlockFor turns that level into a number of
// acknowledgements; no other code in the program does this arithmetic.
package consistency

import "fmt"

// A Level says how many replicas must answer. The values are those of the native protocol.
type Level uint16

// The levels, as in Cassandra's documentation.
const (
	Any         Level = 0x00
	One         Level = 0x01
	Two         Level = 0x02
	Three       Level = 0x03
	Quorum      Level = 0x04
	All         Level = 0x05
	LocalQuorum Level = 0x06
	EachQuorum  Level = 0x07
	Serial      Level = 0x08
	LocalSerial Level = 0x09
	LocalOne    Level = 0x0A
	NodeLocal   Level = 0x0B
)

// String returns the name as cqlsh shows it, such as LOCAL_QUORUM.
func (l Level) String() string {
	switch l {
	case Any:
		return "ANY"
	case One:
		return "ONE"
	case Two:
		return "TWO"
	case Three:
		return "THREE"
	case Quorum:
		return "QUORUM"
	case All:
		return "ALL"
	case LocalQuorum:
		return "LOCAL_QUORUM"
	case EachQuorum:
		return "EACH_QUORUM"
	case Serial:
		return "SERIAL"
	case LocalSerial:
		return "LOCAL_SERIAL"
	case LocalOne:
		return "LOCAL_ONE"
	case NodeLocal:
		return "NODE_LOCAL"
	default:
		return fmt.Sprintf("UNKNOWN(%d)", uint16(l))
	}
}

// IsLocal reports whether only replicas of the coordinator's datacenter count.
func (l Level) IsLocal() bool {
	return l == LocalOne || l == LocalQuorum || l == LocalSerial
}

// IsSerial reports whether the level is one of lightweight transactions.
func (l Level) IsSerial() bool { return l == Serial || l == LocalSerial }

// BlockFor returns how many of replicas must answer: all replicas of the keyspace, or those of
// the coordinator's datacenter if the level is local. EachQuorum is asked once per datacenter.
func (l Level) BlockFor(replicas int) int {
	switch l {
	case Two:
		return 2
	case Three:
		return 3
	case Quorum, LocalQuorum, EachQuorum, Serial, LocalSerial:
		return replicas/2 + 1
	case All:
		return replicas
	default: // ANY, ONE, LOCAL_ONE, NODE_LOCAL
		return 1
	}
}

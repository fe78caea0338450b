package cqltype

// Kind tells the families of CQL types apart. The zero Kind is no type.
type Kind uint8

// The kinds of CQL 3.4.7 (Cassandra 5.0). KindText also covers the name varchar.
const (
	KindASCII Kind = iota + 1
	KindBigint
	KindBlob
	KindBoolean
	KindCounter
	KindDate
	KindDecimal
	KindDouble
	KindDuration
	KindFloat
	KindInet
	KindInt
	KindSmallint
	KindText
	KindTime
	KindTimestamp
	KindTimeUUID
	KindTinyint
	KindUUID
	KindVarint
	KindList
	KindMap
	KindSet
	KindTuple
	KindUDT
	KindVector
)

// kindNames is indexed by Kind; the native ones are the CQL names of their types.
var kindNames = [...]string{
	KindASCII: "ascii", KindBigint: "bigint", KindBlob: "blob", KindBoolean: "boolean", KindCounter: "counter",
	KindDate: "date", KindDecimal: "decimal", KindDouble: "double", KindDuration: "duration", KindFloat: "float",
	KindInet: "inet", KindInt: "int", KindSmallint: "smallint", KindText: "text", KindTime: "time",
	KindTimestamp: "timestamp", KindTimeUUID: "timeuuid", KindTinyint: "tinyint", KindUUID: "uuid",
	KindVarint: "varint", KindList: "list", KindMap: "map", KindSet: "set", KindTuple: "tuple", KindUDT: "UDT",
	KindVector: "vector",
}

// String returns the kind's CQL name, such as "int" or "map", "UDT" for user-defined types.
func (k Kind) String() string {
	if int(k) >= len(kindNames) || k == 0 {
		return "unknown"
	}
	return kindNames[k]
}

// IsNative reports whether k is a scalar type that CQL names with a single word.
func (k Kind) IsNative() bool { return k >= KindASCII && k <= KindVarint }

// IsCollection reports whether k is list, map or set, the kinds that a column may hold cell by cell.
func (k Kind) IsCollection() bool { return k == KindList || k == KindMap || k == KindSet }

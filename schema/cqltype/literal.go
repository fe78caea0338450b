package cqltype

// LiteralKind is the kind of a constant as CQL's lexer sees it.
type LiteralKind uint8

// The kinds of literals. NaN and Infinity, with or without a sign, are LiteralFloat.
const (
	LiteralString LiteralKind = iota + 1
	LiteralInteger
	LiteralFloat
	LiteralBoolean
	LiteralUUID
	LiteralHex
	LiteralDuration
)

// literalNames is indexed by LiteralKind.
var literalNames = [...]string{
	LiteralString: "STRING", LiteralInteger: "INTEGER", LiteralFloat: "FLOAT", LiteralBoolean: "BOOLEAN",
	LiteralUUID: "UUID", LiteralHex: "HEX", LiteralDuration: "DURATION",
}

// String returns the name that Cassandra's error messages use, such as "STRING".
func (k LiteralKind) String() string {
	if int(k) >= len(literalNames) || k == 0 {
		return "UNKNOWN"
	}
	return literalNames[k]
}

// isDigits reports whether s is one or more ASCII digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isInteger reports whether s is digits with at most a minus sign in front, the form in which strings for
// dates, times and timestamps may hold a number.
func isInteger(s string) bool {
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	return isDigits(s)
}

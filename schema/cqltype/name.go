package cqltype

import "strings"

// reservedNames are the words that CQL does not take for a name unless they are quoted.
const reservedNames = " add allow alter and apply asc authorize batch begin by columnfamily create delete desc describe " +
	"drop entries execute false from full grant if in index infinity insert into is keyspace limit materialized " +
	"modify nan norecursive not null of on or order primary rename revoke schema select set table to token true " +
	"truncate unlogged update use using view where with "

// QuoteName returns a keyspace, table, column or type name as CQL spells it: as it is when it consists of a lower-case
// letter followed by lower-case letters, digits and underscores and is not reserved, otherwise in double quotes.
func QuoteName(name string) string {
	if isPlainName(name) && !strings.Contains(reservedNames, " "+name+" ") {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func isPlainName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c == '_' || c >= '0' && c <= '9'):
		default:
			return false
		}
	}
	return name != ""
}

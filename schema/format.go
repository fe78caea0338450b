package schema

import (
	"fmt"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// FormatKey prints a primary key for error messages and logs, as a condition on its columns.
// partition is the serialized partition key; clustering is in key encoding and may be a prefix.
// What cannot be read is printed in hexadecimal.
func (t *Table) FormatKey(partition, clustering []byte) string {
	var out []byte
	add := func(c *Column, value []byte) {
		if len(out) > 0 {
			out = append(out, " AND "...)
		}
		out = append(append(out, cqltype.QuoteName(c.Name)...), " = "...)
		out = c.Type.AppendLiteral(out, value)
	}
	values, err := cqltype.SplitPartitionKey(nil, partition, len(t.Partition))
	if err != nil {
		return fmt.Sprintf("0x%x 0x%x", partition, clustering)
	}
	for i, c := range t.Partition {
		add(c, values[i])
	}
	for _, c := range t.Clustering {
		if len(clustering) == 0 {
			break
		}
		value, rest, err := c.Type.ReadKey(clustering, c.Descending, nil)
		if err != nil {
			return fmt.Sprintf("%s and 0x%x", out, clustering)
		}
		add(c, value)
		clustering = rest
	}
	return string(out)
}

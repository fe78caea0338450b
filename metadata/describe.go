package metadata

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// Describe returns the statement that creates a table like t, in the form of DESCRIBE TABLE. Applied to a
// schema that has the types it needs, it makes an equal table, but for ids and the incarnation. A virtual
// table cannot be created: what is returned for it is a comment.
func Describe(t *schema.Table) string { return describeTable(t, false) }

// DescribeInternals is Describe with the id of t and its dropped columns, in the form of DESCRIBE TABLE WITH
// INTERNALS: statements that create t and drop those columns again.
func DescribeInternals(t *schema.Table) string { return describeTable(t, true) }

func describeTable(t *schema.Table, internals bool) string {
	dropped := droppedColumns(t, internals)
	options := describeOptions(t.Options)
	if t.Virtual {
		options = []string{"comment = " + quote(t.Options.Comment)}
	}
	if len(t.Clustering) > 0 {
		options = slices.Insert(options, 0, "CLUSTERING ORDER BY ("+describeOrder(t)+")")
	}
	if internals {
		options = slices.Insert(options, 0, "ID = "+t.ID.String())
	}
	name := cqltype.QuoteName(t.Keyspace) + "." + cqltype.QuoteName(t.Name)
	text := fmt.Sprintf("TABLE %s (\n    %s\n) WITH %s;", name, strings.Join(describeColumns(t, dropped), ",\n    "), strings.Join(options, "\n    AND "))
	if t.Virtual {
		return describeVirtual("Table", "a virtual table", name, text)
	}
	for _, d := range dropped {
		text += fmt.Sprintf("\nALTER TABLE %s DROP %s USING TIMESTAMP %d;", name, cqltype.QuoteName(d.Name), d.At)
		if c := t.Column(d.Name); c != nil {
			text += fmt.Sprintf("\nALTER TABLE %s ADD %s;", name, describeColumn(c))
		}
	}
	return "CREATE " + text
}

// droppedColumns returns the dropped columns that are to be shown, in order of their names.
func droppedColumns(t *schema.Table, internals bool) []schema.DroppedColumn {
	if !internals {
		return nil
	}
	return t.LastDropped()
}

// describeColumns returns the lines between the parentheses.
func describeColumns(t *schema.Table, dropped []schema.DroppedColumn) []string {
	isDropped := func(name string) bool {
		return slices.ContainsFunc(dropped, func(d schema.DroppedColumn) bool { return d.Name == name })
	}
	single := len(t.Partition) == 1 && len(t.Clustering) == 0
	var lines []string
	for _, c := range slices.Concat(t.Partition, t.Clustering, simpleFirst(t.Static), simpleFirst(t.Regular)) {
		line := describeColumn(c)
		switch {
		case single && c.Kind == schema.PartitionKey:
			line += " PRIMARY KEY"
		case isDropped(c.Name):
			continue // it is added again after it was dropped
		}
		lines = append(lines, line)
	}
	for _, d := range dropped {
		line := cqltype.QuoteName(d.Name) + " " + d.Type
		if d.Static {
			line += " static"
		}
		lines = append(lines, line)
	}
	if !single {
		lines = append(lines, "PRIMARY KEY ("+describeKey(t)+")")
	}
	return lines
}

func describeColumn(c *schema.Column) string {
	line := cqltype.QuoteName(c.Name) + " " + c.Type.String()
	if c.Kind == schema.Static {
		line += " static"
	}
	return line
}

// describeVirtual wraps the description of something that only the system can make.
func describeVirtual(what, kind, name, text string) string {
	return fmt.Sprintf("/*\nWarning: %s %s is %s and cannot be recreated with CQL.\nStructure, for reference:\nVIRTUAL %s\n*/",
		what, name, kind, text)
}

// simpleFirst puts the columns that are stored cell by cell behind the others.
func simpleFirst(columns []*schema.Column) []*schema.Column {
	return slices.SortedStableFunc(slices.Values(columns), func(a, b *schema.Column) int {
		switch {
		case a.Type.IsMultiCell() == b.Type.IsMultiCell():
			return 0
		case b.Type.IsMultiCell():
			return -1
		}
		return 1
	})
}

func describeKey(t *schema.Table) string {
	key := strings.Join(columnNames(t.Partition), ", ")
	if len(t.Partition) > 1 {
		key = "(" + key + ")"
	}
	return strings.Join(append([]string{key}, columnNames(t.Clustering)...), ", ")
}

func describeOrder(t *schema.Table) string {
	names := columnNames(t.Clustering)
	for i, c := range t.Clustering {
		if c.Descending {
			names[i] += " DESC"
		} else {
			names[i] += " ASC"
		}
	}
	return strings.Join(names, ", ")
}

func columnNames(columns []*schema.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = cqltype.QuoteName(c.Name)
	}
	return names
}

// describeOptions returns the options as DESCRIBE orders them.
func describeOptions(o schema.Options) []string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []string{
		"additional_write_policy = " + quote(o.AdditionalWritePolicy),
		"allow_auto_snapshot = " + strconv.FormatBool(o.AllowAutoSnapshot),
		"bloom_filter_fp_chance = " + formatDouble(o.BloomFilterFPChance),
		"caching = " + describeMap(o.Caching),
		"cdc = " + strconv.FormatBool(o.CDC),
		"comment = " + quote(o.Comment),
		"compaction = " + describeMap(o.Compaction),
		"compression = " + describeMap(o.Compression),
		"memtable = " + quote(o.Memtable),
		"crc_check_chance = " + formatDouble(o.CRCCheckChance),
		"default_time_to_live = " + number(o.DefaultTimeToLive),
		"extensions = " + describeMap(o.Extensions),
		"gc_grace_seconds = " + number(o.GCGraceSeconds),
		"incremental_backups = " + strconv.FormatBool(o.IncrementalBackups),
		"max_index_interval = " + number(o.MaxIndexInterval),
		"memtable_flush_period_in_ms = " + number(o.MemtableFlushPeriodInMs),
		"min_index_interval = " + number(o.MinIndexInterval),
		"read_repair = " + quote(o.ReadRepair),
		"speculative_retry = " + quote(o.SpeculativeRetry),
	}
}

// describeMap returns m as a literal, in order of its keys.
func describeMap(m map[string]string) string { return "{" + strings.Join(entriesOf(m), ", ") + "}" }

func entriesOf(m map[string]string) []string {
	var entries []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		entries = append(entries, quote(key)+": "+quote(m[key]))
	}
	return entries
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// DescribeKeyspace returns the statement that creates a keyspace like k, without what is in it, in the
// form of DESCRIBE ONLY KEYSPACE. For a virtual keyspace it is a comment.
func DescribeKeyspace(k *schema.Keyspace) string {
	name := cqltype.QuoteName(k.Name)
	if k.IsVirtual() {
		return describeVirtual("Keyspace", "a virtual keyspace", name, "KEYSPACE "+name+";")
	}
	replication := append([]string{quote(classOption) + ": " + quote(k.Replication.Class)}, entriesOf(k.Replication.Options)...)
	return fmt.Sprintf("CREATE KEYSPACE %s WITH replication = {%s}  AND durable_writes = %t;",
		name, strings.Join(replication, ", "), k.DurableWrites)
}

// DescribeType returns the statement that creates a user-defined type like t, in the form of DESCRIBE TYPE.
func DescribeType(t *cqltype.Type) string {
	keyspace, name := t.UDTName()
	var lines []string
	for _, f := range t.Fields() {
		lines = append(lines, "    "+cqltype.QuoteName(f.Name)+" "+f.Type.String())
	}
	return fmt.Sprintf("CREATE TYPE %s.%s (\n%s\n);", cqltype.QuoteName(keyspace), cqltype.QuoteName(name), strings.Join(lines, ",\n"))
}

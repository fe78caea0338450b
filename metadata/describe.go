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
// schema that has the types it needs, it makes an equal table, but for ids and the incarnation.
func Describe(t *schema.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s.%s (\n", cqltype.QuoteName(t.Keyspace), cqltype.QuoteName(t.Name))
	single := len(t.Partition) == 1 && len(t.Clustering) == 0
	var lines []string
	for _, c := range slices.Concat(t.Partition, t.Clustering, simpleFirst(t.Static), simpleFirst(t.Regular)) {
		line := cqltype.QuoteName(c.Name) + " " + c.Type.String()
		switch {
		case c.Kind == schema.Static:
			line += " static"
		case single && c.Kind == schema.PartitionKey:
			line += " PRIMARY KEY"
		}
		lines = append(lines, line)
	}
	if !single {
		lines = append(lines, "PRIMARY KEY ("+describeKey(t)+")")
	}
	b.WriteString("    " + strings.Join(lines, ",\n    ") + "\n) WITH ")
	options := describeOptions(t.Options)
	if len(t.Clustering) > 0 {
		options = append([]string{"CLUSTERING ORDER BY (" + describeOrder(t) + ")"}, options...)
	}
	b.WriteString(strings.Join(options, "\n    AND ") + ";")
	return b.String()
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
// form of DESCRIBE ONLY KEYSPACE.
func DescribeKeyspace(k *schema.Keyspace) string {
	replication := append([]string{quote(classOption) + ": " + quote(k.Replication.Class)}, entriesOf(k.Replication.Options)...)
	return fmt.Sprintf("CREATE KEYSPACE %s WITH replication = {%s}  AND durable_writes = %t;",
		cqltype.QuoteName(k.Name), strings.Join(replication, ", "), k.DurableWrites)
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

package metadata

import (
	"math"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// idProperty is the one property of a table that is no option.
const idProperty = "id"

// maxTTL is the longest time to live, 20 years in seconds.
const maxTTL = 20 * 365 * 24 * 60 * 60

// tableOptions are the options of tables and how each is set. The order is that in which Cassandra
// reads them, and so that of its errors.
var tableOptions = []struct {
	name string
	set  func(o *schema.Options, name string, value ast.Term) error
}{
	{"allow_auto_snapshot", boolOption(func(o *schema.Options) *bool { return &o.AllowAutoSnapshot })},
	{"bloom_filter_fp_chance", doubleOption(func(o *schema.Options) *float64 { return &o.BloomFilterFPChance })},
	{"caching", mapOption(func(o *schema.Options) *map[string]string { return &o.Caching }, parseCaching)},
	{"comment", textOption(func(o *schema.Options) *string { return &o.Comment }, anyText)},
	{"compaction", mapOption(func(o *schema.Options) *map[string]string { return &o.Compaction }, parseCompaction)},
	{"compression", mapOption(func(o *schema.Options) *map[string]string { return &o.Compression }, parseCompression)},
	{"memtable", textOption(func(o *schema.Options) *string { return &o.Memtable }, parseMemtable)},
	{"default_time_to_live", intOption(func(o *schema.Options) *int64 { return &o.DefaultTimeToLive })},
	{"gc_grace_seconds", intOption(func(o *schema.Options) *int64 { return &o.GCGraceSeconds })},
	{"incremental_backups", boolOption(func(o *schema.Options) *bool { return &o.IncrementalBackups })},
	{"max_index_interval", intOption(func(o *schema.Options) *int64 { return &o.MaxIndexInterval })},
	{"memtable_flush_period_in_ms", intOption(func(o *schema.Options) *int64 { return &o.MemtableFlushPeriodInMs })},
	{"min_index_interval", intOption(func(o *schema.Options) *int64 { return &o.MinIndexInterval })},
	{"speculative_retry", textOption(func(o *schema.Options) *string { return &o.SpeculativeRetry }, parseRetry)},
	{"additional_write_policy", textOption(func(o *schema.Options) *string { return &o.AdditionalWritePolicy }, parseRetry)},
	{"crc_check_chance", doubleOption(func(o *schema.Options) *float64 { return &o.CRCCheckChance })},
	{"cdc", boolOption(func(o *schema.Options) *bool { return &o.CDC })},
	{"read_repair", textOption(func(o *schema.Options) *string { return &o.ReadRepair }, parseReadRepair)},
	{"extensions", func(*schema.Options, string, ast.Term) error { return nil }}, // without effect, whatever the value
}

func boolOption(field func(*schema.Options) *bool) func(*schema.Options, string, ast.Term) error {
	return func(o *schema.Options, name string, value ast.Term) (err error) {
		*field(o), err = boolOf(name, value)
		return err
	}
}

func intOption(field func(*schema.Options) *int64) func(*schema.Options, string, ast.Term) error {
	return func(o *schema.Options, name string, value ast.Term) (err error) {
		*field(o), err = intOf(name, value)
		return err
	}
}

func doubleOption(field func(*schema.Options) *float64) func(*schema.Options, string, ast.Term) error {
	return func(o *schema.Options, name string, value ast.Term) (err error) {
		*field(o), err = doubleOf(name, value)
		return err
	}
}

// textOption sets a string to the normal form that parse returns.
func textOption(field func(*schema.Options) *string, parse func(string) (string, error)) func(*schema.Options, string, ast.Term) error {
	return func(o *schema.Options, name string, value ast.Term) error {
		text, err := textOf(name, value)
		if err != nil {
			return err
		}
		*field(o), err = parse(text)
		return err
	}
}

// mapOption sets a map to the normal form that parse returns.
func mapOption(field func(*schema.Options) *map[string]string, parse func(map[string]string) (map[string]string, error)) func(*schema.Options, string, ast.Term) error {
	return func(o *schema.Options, name string, value ast.Term) error {
		m, err := mapOf(name, value)
		if err != nil {
			return err
		}
		*field(o), err = parse(m)
		return err
	}
}

// bloomDefault stands for the default of the compaction strategy.
const bloomDefault = -1

// newOptions returns the options of a new table. What they have to be besides well-formed is left to
// checkOptions.
func newOptions(properties []ast.Property) (schema.Options, error) {
	base := schema.DefaultOptions()
	base.BloomFilterFPChance = bloomDefault
	return setOptions(base, properties)
}

// setOptions returns the options that properties make of base. Properties that are no options are
// passed over.
func setOptions(base schema.Options, properties []ast.Property) (schema.Options, error) {
	options := base.Clone()
	for _, option := range tableOptions {
		if value := find(properties, option.name); value != nil {
			if err := option.set(&options, option.name, value); err != nil {
				return base, err
			}
		}
	}
	if options.CDC {
		return base, schema.Invalid("Change data capture is not supported yet (cdc = true)")
	}
	if options.BloomFilterFPChance == bloomDefault {
		options.BloomFilterFPChance = schema.DefaultOptions().BloomFilterFPChance
		if options.Compaction[classOption] == compactionPackage+leveledStrategy {
			options.BloomFilterFPChance = 0.1
		}
	}
	return options, nil
}

// minBloomFilterChance is the false positive rate of the largest bloom filter that Cassandra can have.
const minBloomFilterChance = 6.71e-5

// checkOptions checks that all properties are known, and that the options they led to are possible.
func checkOptions(properties []ast.Property, o schema.Options) error {
	for _, p := range properties {
		if p.Name.Text != idProperty && !isOption(p.Name.Text) {
			return schema.Malformed("Unknown property '%s'", p.Name.Text)
		}
	}
	if err := checkCompaction(o.Compaction); err != nil {
		return err
	}
	const atLeast = "%s must be greater than or equal to %d (got %d)"
	switch {
	case !(o.BloomFilterFPChance > minBloomFilterChance && o.BloomFilterFPChance <= 1): // also NaN
		return schema.Misconfigured("bloom_filter_fp_chance must be larger than %s and less than or equal to 1.0 (got %s)",
			formatDouble(minBloomFilterChance), formatDouble(o.BloomFilterFPChance))
	case !(o.CRCCheckChance >= 0 && o.CRCCheckChance <= 1):
		return schema.Misconfigured("crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got %s)",
			formatDouble(o.CRCCheckChance))
	case o.DefaultTimeToLive < 0:
		return schema.Misconfigured(atLeast, "default_time_to_live", 0, o.DefaultTimeToLive)
	case o.DefaultTimeToLive > maxTTL:
		return schema.Misconfigured("default_time_to_live must be less than or equal to %d (got %d)", maxTTL, o.DefaultTimeToLive)
	case o.GCGraceSeconds < 0:
		return schema.Misconfigured(atLeast, "gc_grace_seconds", 0, o.GCGraceSeconds)
	case o.MinIndexInterval < 1:
		return schema.Misconfigured(atLeast, "min_index_interval", 1, o.MinIndexInterval)
	case o.MaxIndexInterval < o.MinIndexInterval:
		return schema.Misconfigured("max_index_interval must be greater than or equal to min_index_interval (%d) (got %d)",
			o.MinIndexInterval, o.MaxIndexInterval)
	case o.MemtableFlushPeriodInMs < 0:
		return schema.Misconfigured(atLeast, "memtable_flush_period_in_ms", 0, o.MemtableFlushPeriodInMs)
	}
	return nil
}

func isOption(name string) bool {
	for _, option := range tableOptions {
		if option.name == name {
			return true
		}
	}
	return false
}

func anyText(text string) (string, error) { return text, nil }

// parseMemtable accepts the one configuration of memtables that there is.
func parseMemtable(text string) (string, error) {
	if text != schema.DefaultOptions().Memtable {
		return "", schema.Misconfigured(`Memtable configuration "%s" not found.`, text)
	}
	return text, nil
}

func parseReadRepair(text string) (string, error) {
	upper := strings.ToUpper(text)
	if upper != "BLOCKING" && upper != "NONE" {
		return "", schema.Misconfigured("Invalid value %s for option 'read_repair': only 'BLOCKING' and 'NONE' are allowed", text)
	}
	return upper, nil
}

// parseCaching returns the map with both of its entries.
func parseCaching(given map[string]string) (map[string]string, error) {
	const keysOption, rowsOption, all, none = "keys", "rows_per_partition", "ALL", "NONE"
	out := map[string]string{keysOption: none, rowsOption: none}
	if keys, ok := given[keysOption]; ok {
		if out[keysOption] = strings.ToUpper(keys); out[keysOption] != all && out[keysOption] != none {
			return nil, schema.Misconfigured("Invalid value '%s' for caching sub-option '%s': only '%s' and '%s' are allowed",
				keys, keysOption, all, none)
		}
	}
	if rows, ok := given[rowsOption]; ok {
		n, err := strconv.ParseUint(rows, 10, 31)
		switch upper := strings.ToUpper(rows); {
		case upper == all, err == nil && n == math.MaxInt32:
			out[rowsOption] = all
		case upper == none, err == nil && n == 0:
		case err == nil:
			out[rowsOption] = strconv.FormatUint(n, 10)
		default:
			return nil, schema.Misconfigured("Invalid value '%s' for caching sub-option '%s': only '%s', '%s', and integer values are allowed",
				rows, rowsOption, all, none)
		}
	}
	if unknown := keysBeside(given, keysOption, rowsOption); len(unknown) > 0 {
		return nil, schema.Misconfigured("Invalid caching sub-options [%s]: only '%s' and '%s' are allowed",
			strings.Join(unknown, ", "), keysOption, rowsOption)
	}
	return out, nil
}

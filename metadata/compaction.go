package metadata

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
)

// Compaction strategies. Ilium folds rows in a way of its own whatever the strategy; the options are
// checked and kept for whoever reads them.
const (
	compactionPackage = "org.apache.cassandra.db.compaction."

	sizeTieredStrategy = "SizeTieredCompactionStrategy"
	leveledStrategy    = "LeveledCompactionStrategy"
	timeWindowStrategy = "TimeWindowCompactionStrategy"
	unifiedStrategy    = "UnifiedCompactionStrategy"
)

const (
	minThresholdOption = "min_threshold"
	maxThresholdOption = "max_threshold"
	overlapOption      = "provide_overlapping_tombstones"
)

// A compactionOption is one option of a strategy and what its value must be.
type compactionOption struct {
	name  string
	check func(name, value string) error // nil: anything
}

// anyCompaction are the options of all strategies.
var anyCompaction = []compactionOption{
	{classOption, nil},
	{overlapOption, nil}, // parseCompaction has checked it
	{"tombstone_threshold", checkTombstoneThreshold},
	{"tombstone_compaction_interval", checkInteger(64, 0, "%s must be greater than 0, but was %d")},
	{"unchecked_tombstone_compaction", checkBoolean("'%s' should be either 'true' or 'false', not '%s'")},
	{"only_purge_repaired_tombstones", nil},
	{"log_all", checkBoolean("'%s' should either be 'true' or 'false', not %s")},
	{enabledOption, checkBoolean("%s should either be 'true' or 'false', not %s")},
}

var sizeTieredCompaction = []compactionOption{
	{"min_sstable_size", checkInteger(64, 0, "%s must be non negative: %d")},
	{"bucket_low", checkFloat},
	{"bucket_high", checkFloat},
	{minThresholdOption, nil}, // checkThresholds does
	{maxThresholdOption, nil},
}

// compactionStrategies holds the options of each strategy besides those of all.
var compactionStrategies = map[string][]compactionOption{
	sizeTieredStrategy: sizeTieredCompaction,
	leveledStrategy: slices.Concat(sizeTieredCompaction, []compactionOption{
		{"sstable_size_in_mb", checkInteger(32, 1, "%s must be larger than 0, but was %d")},
		{"fanout_size", checkInteger(32, 1, "%s must be larger than 0, but was %d")},
		{"single_sstable_uplevel", nil},
	}),
	timeWindowStrategy: slices.Concat(sizeTieredCompaction, []compactionOption{
		{"timestamp_resolution", checkOneOf("SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS")},
		{"compaction_window_unit", checkOneOf("MINUTES", "HOURS", "DAYS")},
		{"compaction_window_size", checkInteger(32, 1, "%[2]d must be greater than 1 for %[1]s")},
		{"expired_sstable_check_frequency_seconds", checkInteger(64, 0, "%s must not be negative, but was %d")},
		{"unsafe_aggressive_sstable_expiration", checkUnsafeExpiration},
	}),
	unifiedStrategy: {
		{scalingOption, checkScaling},
		{targetSizeOption, checkSizeOption},
		{minSizeOption, nil}, // checkUnified does
		{"flush_size_override", checkSizeOption},
		{"base_shard_count", checkInteger(32, 1, "Invalid configuration, %s should be positive: %d")},
		{"sstable_growth", checkGrowth},
		{"expired_sstable_check_frequency_seconds", checkFrequency},
		{"unsafe_aggressive_sstable_expiration", checkBoolean("%s should either be 'true' or 'false', not %s")},
		{"overlap_inclusion_method", checkOverlapInclusion},
		{"max_sstables_to_compact", checkInteger(32, -1<<31, "")},
	},
}

// parseCompaction returns the map with the full name of the class and the thresholds. The rest is
// left to checkCompaction.
func parseCompaction(given map[string]string) (map[string]string, error) {
	class, ok := given[classOption]
	if !ok {
		return nil, schema.Misconfigured("Missing sub-option 'class' for the 'compaction' option")
	}
	class = strings.TrimPrefix(class, compactionPackage)
	if _, known := compactionStrategies[class]; !known {
		if !strings.Contains(class, ".") {
			class = compactionPackage + class
		}
		return nil, schema.Misconfigured("Unable to find compaction strategy class '%s'", class)
	}
	if text, ok := given[overlapOption]; ok {
		if upper := strings.ToUpper(text); upper != "NONE" && upper != "ROW" && upper != "CELL" {
			return nil, schema.Misconfigured("Invalid value %s for '%s' compaction sub-option - must be one of the following [NONE, ROW, CELL].",
				upper, overlapOption)
		}
	}
	out := maps.Clone(given)
	out[classOption] = compactionPackage + class
	if class != unifiedStrategy {
		addMissing(out, map[string]string{minThresholdOption: "4", maxThresholdOption: "32"})
	}
	return out, nil
}

// checkCompaction checks what parseCompaction returned.
func checkCompaction(options map[string]string) error {
	class := strings.TrimPrefix(options[classOption], compactionPackage)
	allowed := slices.Concat(anyCompaction, compactionStrategies[class])
	known := make([]string, len(allowed))
	for i, option := range allowed {
		known[i] = option.name
		if value, ok := options[option.name]; ok && option.check != nil {
			if err := option.check(option.name, value); err != nil {
				return err
			}
		}
	}
	if class == unifiedStrategy {
		if err := checkUnified(options); err != nil {
			return err
		}
	} else if err := checkBuckets(options); err != nil {
		return err
	}
	if unknown := keysBeside(options, known...); len(unknown) > 0 {
		return schema.Misconfigured("Properties specified [%s] are not understood by %s", strings.Join(unknown, ", "), class)
	}
	if class == unifiedStrategy {
		return nil
	}
	return checkThresholds(options)
}

func checkBuckets(options map[string]string) error {
	low, high := 0.5, 1.5
	if text, ok := options["bucket_low"]; ok {
		low, _ = parseDouble(text) // checkFloat has accepted both
	}
	if text, ok := options["bucket_high"]; ok {
		high, _ = parseDouble(text)
	}
	if high <= low {
		return schema.Misconfigured("bucket_high value (%s) is less than or equal to the bucket_low value (%s)", formatDouble(high), formatDouble(low))
	}
	return nil
}

func checkThresholds(options map[string]string) error {
	var values [2]int64
	for i, name := range []string{minThresholdOption, maxThresholdOption} {
		n, err := strconv.ParseInt(options[name], 10, 32)
		if err != nil {
			return schema.Misconfigured("Invalid value %s for '%s' compaction sub-option - must be an integer", options[name], name)
		}
		values[i] = n
	}
	switch least, most := values[0], values[1]; {
	case least <= 0 || most <= 0:
		return schema.Misconfigured("Disabling compaction by setting compaction thresholds to 0 has been removed, set the compaction option 'enabled' to false instead.")
	case least == 1:
		return schema.Misconfigured("Min compaction threshold cannot be less than 2 (got 1)")
	case least > most:
		return schema.Misconfigured("Min compaction threshold (got %d) cannot be greater than max compaction threshold (got %d)", least, most)
	}
	return nil
}

// checkInteger accepts integers of so many bits from least on. tooSmall is a format of name and value.
func checkInteger(bits int, least int64, tooSmall string) func(name, value string) error {
	return func(name, value string) error {
		n, err := strconv.ParseInt(value, 10, bits)
		if err != nil {
			return schema.Misconfigured("%s is not a parsable int (base10) for %s", value, name)
		}
		if n < least {
			return schema.Misconfigured(tooSmall, name, n)
		}
		return nil
	}
}

// checkBoolean accepts true and false. otherwise is a format of name and value.
func checkBoolean(otherwise string) func(name, value string) error {
	return func(name, value string) error {
		if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			return schema.Misconfigured(otherwise, name, value)
		}
		return nil
	}
}

func checkOneOf(values ...string) func(name, value string) error {
	return func(name, value string) error {
		if !slices.Contains(values, value) {
			return schema.Misconfigured("%s is not valid for %s", value, name)
		}
		return nil
	}
}

func checkFloat(name, value string) error {
	if _, ok := parseDouble(value); !ok {
		return schema.Misconfigured("%s is not a parsable float for %s", value, name)
	}
	return nil
}

func checkTombstoneThreshold(name, value string) error {
	x, ok := parseDouble(value)
	switch {
	case !ok:
		return schema.Misconfigured("%s is not a parsable int (base10) for %s", value, name)
	case x < 0:
		return schema.Misconfigured("%s must be greater than 0, but was %f", name, x)
	}
	return nil
}

// checkUnsafeExpiration refuses true: Ilium does not drop expired data without looking.
func checkUnsafeExpiration(name, value string) error {
	if strings.EqualFold(value, "true") {
		return schema.Misconfigured("%s is requested but not allowed", name)
	}
	return checkBoolean("%s is not 'true' or 'false' (%s)")(name, value)
}

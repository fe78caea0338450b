package metadata

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
)

// Options of UnifiedCompactionStrategy that are named more than once.
const (
	scalingOption    = "scaling_parameters"
	targetSizeOption = "target_sstable_size"
	minSizeOption    = "min_sstable_size"
)

var scalingParameter = regexp.MustCompile(`^(?:N|([LT])([0-9]+)|[+-]?[0-9]+)$`)

// checkScaling accepts a list of parameters, one for each level: N, L and T with a fan factor, or a number.
func checkScaling(_, value string) error {
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		m := scalingParameter.FindStringSubmatch(part)
		if m == nil {
			return schema.Misconfigured("Scaling parameter %s must match N|L[0-9]+|T[0-9]+|[+-]?[0-9]+", part)
		}
		number := part
		if m[1] != "" {
			number = m[2]
		}
		if part == "N" {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 32)
		switch {
		case err != nil:
			return schema.Misconfigured("Scaling parameter %s is out of range", part)
		case m[1] != "" && n < 2:
			return schema.Misconfigured("Fan factor cannot be lower than 2 in %s", part)
		}
	}
	return nil
}

// minTargetSize is the least target_sstable_size and flush_size_override, in bytes.
const minTargetSize = 1 << 20

func checkSizeOption(name, value string) error {
	n, err := parseSize(value)
	switch {
	case err != nil:
		return schema.Misconfigured("%s %s is not a valid size in bytes: %s", name, value, err)
	case n < minTargetSize:
		return schema.Misconfigured("%s %s is not acceptable, size must be at least %s", name, value, formatSize(minTargetSize))
	}
	return nil
}

// checkUnified checks the least size of an sstable against the size that they are to have.
func checkUnified(options map[string]string) error {
	text, ok := options[minSizeOption]
	if !ok {
		return nil
	}
	least, err := parseSize(text)
	if err != nil {
		return schema.Misconfigured("%s is not a valid size in bytes for %s", text, minSizeOption)
	}
	target := float64(1 << 30)
	if text, ok := options[targetSizeOption]; ok {
		target, _ = parseSize(text) // checkSizeOption has accepted it
	}
	switch {
	case least < 0:
		return schema.Misconfigured("Invalid configuration, %s should be greater than or equal to 0 (zero)", minSizeOption)
	case least >= target*math.Sqrt(0.5):
		return schema.Misconfigured("Invalid configuration, %s (%s) should be less than 70%% of the targetSSTableSize (%s)",
			minSizeOption, formatSize(least), formatSize(target))
	}
	return nil
}

func checkGrowth(name, value string) error {
	number, percent := strings.CutSuffix(value, "%")
	x, ok := parseDouble(number)
	if percent {
		x /= 100
	}
	switch {
	case !ok:
		return schema.Misconfigured(`%s is not a valid number between 0 and 1: For input string: "%s"`, name, number)
	case !(x >= 0 && x <= 1):
		return schema.Misconfigured("%s %s must be between 0 and 1", name, value)
	}
	return nil
}

func checkFrequency(name, value string) error {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil:
		return schema.Misconfigured("%s is not a parsable long (base10) for %s", value, name)
	case n <= 0:
		return schema.Misconfigured("Invalid configuration, %s should be positive: %d", name, n)
	}
	return nil
}

func checkOverlapInclusion(_, value string) error {
	switch strings.ToUpper(value) {
	case "NONE", "SINGLE", "TRANSITIVE":
		return nil
	}
	return schema.Misconfigured("Invalid overlap inclusion method %s. The valid options are [NONE, SINGLE, TRANSITIVE].", value)
}

var sizePattern = regexp.MustCompile(`^([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\s*(?:([KMGTPE])|([KMGTPE])i)?B$`)

// parseSize reads a number of bytes such as 1GiB, 500 MiB or 20KB.
func parseSize(text string) (float64, error) {
	if !strings.HasSuffix(text, "B") {
		return 0, fmt.Errorf("%s does not end in unit B", text)
	}
	m := sizePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s is not a number with a unit", text)
	}
	x, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("%s is out of range", text)
	}
	switch {
	case m[2] != "":
		x *= math.Pow(1000, float64(1+strings.Index(decimalUnits, m[2])))
	case m[3] != "":
		x *= math.Pow(1024, float64(1+strings.Index(binaryUnits, m[3])))
	}
	if math.Abs(x) >= math.MaxInt64 {
		return 0, fmt.Errorf("%s is out of range", text)
	}
	return x, nil
}

// Prefixes of units, each 1,000 or 1,024 times the one before.
const (
	decimalUnits = "KMGTPE"
	binaryUnits  = "KMGTPE"
)

// formatSize writes a number of bytes with three digits after the point.
func formatSize(bytes float64) string {
	unit := ""
	for i := 0; i < len(binaryUnits) && math.Abs(bytes) >= 1024; i++ {
		bytes /= 1024
		unit = binaryUnits[i:i+1] + "i"
	}
	return strconv.FormatFloat(bytes, 'f', 3, 64) + unit + "B"
}

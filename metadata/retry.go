package metadata

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
)

var (
	percentilePolicy = regexp.MustCompile(`(?i)^([0-9.]+)p(?:ercentile)?$`)
	fixedPolicy      = regexp.MustCompile(`(?i)^([0-9.]+)ms$`)
	hybridPolicy     = regexp.MustCompile(`(?i)^(min|max)\(([0-9.]+[a-z]+)[ \t\n\f\r\v]*,[ \t\n\f\r\v]*([0-9.]+[a-z]+)\)$`)
)

// parseRetry reads the value of speculative_retry or additional_write_policy and returns its normal
// form: ALWAYS, NEVER, 99p, 10ms, or MIN or MAX of a percentile and a time. Errors name the first of
// the two options for both, as those of Cassandra do.
func parseRetry(text string) (string, error) {
	switch upper := strings.ToUpper(text); upper {
	case "ALWAYS":
		return upper, nil
	case "NEVER", "NONE":
		return "NEVER", nil
	}
	invalid := func() error {
		return schema.Misconfigured("Invalid value %s for option 'speculative_retry'", text)
	}
	m := hybridPolicy.FindStringSubmatch(text)
	if m == nil {
		simple, ok, err := parseSimpleRetry(text)
		if !ok {
			err = invalid()
		}
		return simple, err
	}
	a, okA, errA := parseSimpleRetry(m[2])
	b, okB, errB := parseSimpleRetry(m[3])
	if !okA || !okB || errA != nil || errB != nil {
		return "", invalid()
	}
	isTime := func(policy string) bool { return strings.HasSuffix(policy, "ms") }
	if isTime(a) == isTime(b) {
		kind := "PERCENTILE"
		if isTime(a) {
			kind = "FIXED"
		}
		return "", schema.Misconfigured("Invalid value %s for option 'speculative_retry': MIN()/MAX() arguments "+
			"should be of different types, but both are of type %s", text, kind)
	}
	if isTime(a) {
		a, b = b, a
	}
	return strings.ToUpper(m[1]) + "(" + a + "," + b + ")", nil
}

// parseSimpleRetry reads a percentile or a time. ok is false if text is neither.
func parseSimpleRetry(text string) (policy string, ok bool, err error) {
	if m := percentilePolicy.FindStringSubmatch(text); m != nil {
		x, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return "", false, nil
		}
		if x <= 0 || x >= 100 {
			return "", true, schema.Misconfigured("Invalid value %s for PERCENTILE option 'speculative_retry': must be between (0.0 and 100.0)", text)
		}
		return strconv.FormatFloat(x, 'f', -1, 64) + "p", true, nil
	}
	if m := fixedPolicy.FindStringSubmatch(text); m != nil {
		x, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return "", false, nil
		}
		return strconv.Itoa(int(min(x, math.MaxInt32))) + "ms", true, nil
	}
	return "", false, nil
}

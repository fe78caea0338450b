package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// setting is one entry of the table. The fields up to reserved are written by hand there; the
// constructors below fill in the others.
type setting struct {
	name     string
	def      string        // the default, as a user would write it
	about    string        // one sentence, for the reference
	onlyWith CommitlogSync // the mode of commitlog_sync that uses this setting; empty: all do
	reserved bool          // known and type-checked, but this version refuses it

	kind    string // type, as the reference calls it
	allowed string // limits in words; empty: any value of the type
	list    bool   // whether YAML may give a sequence

	read   func(c *Config, text string) error // checks text and stores it; leaves c alone on error
	check  func(c *Config) error              // checks the stored value
	format func(c *Config) string             // the stored value as a YAML scalar
}

// variable returns the environment variable that holds the setting.
func (s setting) variable() string { return environPrefix + strings.ToUpper(s.name) }

// secret reports whether the setting's value is never shown.
func (s setting) secret() bool { return s.kind == secrets.name }

// kind is a type of value: what it is called, how it is read and how it is printed.
type kind[T any] struct {
	name   string
	parse  func(text string) (T, error)
	format func(v T) string
}

var (
	numbers   = kind[int]{"whole number", parseNumber, strconv.Itoa}
	sizes     = kind[Size]{"size", ParseSize, Size.String}
	rates     = kind[Rate]{"rate", ParseRate, Rate.String}
	durations = kind[time.Duration]{"duration", parseDuration, formatDuration}
	texts     = kind[string]{"text", parseText, formatText}
	paths     = kind[string]{"path", parseText, formatText}
	switches  = kind[bool]{"switch", parseSwitch, strconv.FormatBool}
	syncModes = kind[CommitlogSync]{"choice", parseCommitlogSync, func(v CommitlogSync) string { return string(v) }}

	authenticators = kind[Authenticator]{"choice", parseAuthenticator, func(v Authenticator) string { return string(v) }}
	secrets        = kind[Secret]{"secret", parseSecret, Secret.String}
	// optionalPaths may be empty, which stands for none.
	optionalPaths = kind[string]{"path", parseOptionalText, formatOptionalText}
	// optionalAddresses may be empty too.
	optionalAddresses = kind[string]{"address", parseOptionalAddress, formatOptionalText}
	// optionalIPs may be empty, and must not be names: others are told them as they are.
	optionalIPs  = kind[string]{"IP address", parseOptionalIP, formatOptionalText}
	addressLists = kind[Addresses]{"list of addresses", parseAddresses, func(v Addresses) string { return formatOptionalText(string(v)) }}
	decimals     = kind[float64]{"number", parseDecimal, formatDecimal}

	internodeCompressions = kind[InternodeCompression]{"choice", parseInternodeCompression, func(v InternodeCompression) string { return string(v) }}
)

// unlimited is the upper limit of a ranged setting that has none.
const unlimited = math.MaxInt64

// ranged completes a setting that lies between lo and hi, both included.
func ranged[T ~int | ~int64](k kind[T], s setting, lo, hi T, field func(*Config) *T) setting {
	check := func(v T) error {
		if v < lo || v > hi {
			return fmt.Errorf("%s is out of range: allowed is %s", k.format(v), s.allowed)
		}
		return nil
	}
	switch {
	case int64(hi) != unlimited:
		s.allowed = k.format(lo) + " to " + k.format(hi)
	case lo > 0:
		s.allowed = "at least " + k.format(lo)
	default:
		s.allowed = k.format(lo) + " or more"
	}
	return complete(k, s, check, field)
}

// within completes a setting that is a decimal number from lo to hi, both included.
func within(s setting, lo, hi float64, field func(*Config) *float64) setting {
	s.allowed = formatDecimal(lo) + " to " + formatDecimal(hi)
	if math.IsInf(hi, 1) {
		s.allowed = formatDecimal(lo) + " or more"
	}
	return complete(decimals, s, func(v float64) error {
		if !(v >= lo && v <= hi) || math.IsInf(v, 0) { // which is so of NaN
			return fmt.Errorf("%s is out of range: allowed is %s", formatDecimal(v), s.allowed)
		}
		return nil
	}, field)
}

// plain completes a setting that takes every value its kind can read.
func plain[T ~string](k kind[T], s setting, field func(*Config) *T) setting {
	return complete(k, s, func(v T) error {
		_, err := k.parse(string(v))
		return err
	}, field)
}

// listed completes a setting that is a list of addresses, which YAML may give as a sequence.
func listed(s setting, field func(*Config) *Addresses) setting {
	s.list = true
	return plain(addressLists, s, field)
}

// either completes a setting that is on or off.
func either(s setting, field func(*Config) *bool) setting {
	s.allowed = "true, false"
	return complete(switches, s, func(bool) error { return nil }, field)
}

func complete[T any](k kind[T], s setting, check func(T) error, field func(*Config) *T) setting {
	s.kind = k.name
	s.read = func(c *Config, text string) error {
		v, err := k.parse(text)
		if err == nil {
			err = check(v)
		}
		if err == nil {
			*field(c) = v
		}
		return err
	}
	s.check = func(c *Config) error { return check(*field(c)) }
	s.format = func(c *Config) string { return k.format(*field(c)) }
	return s
}

// reserve completes a setting that a later version will support. It has no field: nothing would read it.
func reserve[T any](kind string, parse func(text string) (T, error), s setting) setting {
	s.kind, s.reserved = kind, true
	s.read = func(_ *Config, text string) error {
		_, err := parse(text)
		return err
	}
	return s
}

func parseNumber(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%s is too large", quote(text))
	}
	if err != nil {
		return 0, fmt.Errorf("%s is not a whole number", quote(text))
	}
	return n, nil
}

func parsePort(text string) (int, error) {
	port, err := parseNumber(text)
	if err == nil && (port < 1 || port > math.MaxUint16) {
		err = fmt.Errorf("%d is out of range: allowed is 1 to %d", port, math.MaxUint16)
	}
	return port, err
}

// parseText refuses what a listing could not show on one line.
func parseText(text string) (string, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", errors.New("must not be empty")
	case !utf8.ValidString(text):
		return "", fmt.Errorf("%s is not valid UTF-8", quote(text))
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", fmt.Errorf("%s contains a control character", quote(text))
	}
	return text, nil
}

// formatText quotes text where YAML would read it as something else.
func formatText(text string) string {
	out, err := yaml.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("config: YAML cannot express %q: %v", text, err))
	}
	return strings.TrimSuffix(string(out), "\n")
}

func parseOptionalText(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return parseText(text)
}

func formatOptionalText(text string) string {
	if text == "" {
		return ""
	}
	return formatText(text)
}

// parseSecret is parseOptionalText that does not repeat the text in messages.
func parseSecret(text string) (Secret, error) {
	switch _, err := parseOptionalText(text); {
	case err == nil:
		return Secret(text), nil
	case strings.TrimSpace(text) == "":
		return "", errors.New("must not consist of spaces")
	default:
		return "", errors.New("must be valid UTF-8 without control characters")
	}
}

func parseSwitch(text string) (bool, error) {
	word, err := oneOf(text, "true", "false")
	return word == "true", err
}

// oneOf returns the word that text is.
func oneOf[T ~string](text string, words ...T) (T, error) {
	var names []string
	for _, w := range words {
		if string(w) == text {
			return w, nil
		}
		names = append(names, string(w))
	}
	return "", fmt.Errorf("%s is not one of %s", quote(text), strings.Join(names, ", "))
}

func parseAuthenticator(text string) (Authenticator, error) {
	return oneOf(text, AllowAllAuthenticator, PasswordAuthenticator)
}

func parseCommitlogSync(text string) (CommitlogSync, error) {
	if text == "batch" {
		return "", fmt.Errorf("batch is not available: %s already syncs every write before acknowledging it", SyncGroup)
	}
	return oneOf(text, SyncGroup, SyncPeriodic)
}

func parseInternodeCompression(text string) (InternodeCompression, error) {
	return oneOf(text, CompressAll, CompressDatacenters, CompressNone)
}

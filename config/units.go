package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes.
type Size int64

// Units of Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// ParseSize reads a size as cassandra.yaml writes it: a whole number and B, KiB, MiB or GiB, such as
// 16MiB; a plain 0 needs no unit. The error says what is allowed.
func ParseSize(text string) (Size, error) {
	n, err := sizeNotation.parse(text)
	return Size(n), err
}

// String returns s in the largest unit that expresses it as a whole number. ParseSize reads it back.
func (s Size) String() string { return sizeNotation.format(int64(s)) }

// Rate is a number of bytes per second.
type Rate int64

// ParseRate reads a rate as cassandra.yaml writes it: a whole number and B/s, KiB/s or MiB/s, such as
// 64MiB/s; a plain 0 needs no unit. The error says what is allowed.
func ParseRate(text string) (Rate, error) {
	n, err := rateNotation.parse(text)
	return Rate(n), err
}

// String returns r in the largest unit that expresses it as a whole number. ParseRate reads it back.
func (r Rate) String() string { return rateNotation.format(int64(r)) }

// parseDuration reads a duration as cassandra.yaml writes it: one whole number and one unit.
func parseDuration(text string) (time.Duration, error) {
	n, err := durationNotation.parse(text)
	return time.Duration(n), err
}

// formatDuration returns d in the form parseDuration reads, which time.Duration.String ("1m30s") is not.
func formatDuration(d time.Duration) string { return durationNotation.format(int64(d)) }

// notation is a way to write an amount as a whole number and a unit.
type notation struct {
	article  string // "a size"
	units    []unit // ascending
	zero     string // how nothing is printed
	bareZero bool   // whether 0 may stand without a unit
	example  string
}

type unit struct {
	symbol string
	scale  int64
}

var (
	sizeNotation = notation{
		article: "a size", zero: "0B", bareZero: true, example: "16MiB",
		units: []unit{{"B", 1}, {"KiB", int64(KiB)}, {"MiB", int64(MiB)}, {"GiB", int64(GiB)}},
	}
	rateNotation = notation{
		article: "a rate", zero: "0B/s", bareZero: true, example: "64MiB/s",
		units: []unit{{"B/s", 1}, {"KiB/s", int64(KiB)}, {"MiB/s", int64(MiB)}},
	}
	durationNotation = notation{
		article: "a duration", zero: "0s", example: "10s",
		units: []unit{
			{"ns", 1}, {"us", int64(time.Microsecond)}, {"ms", int64(time.Millisecond)}, {"s", int64(time.Second)},
			{"m", int64(time.Minute)}, {"h", int64(time.Hour)}, {"d", 24 * int64(time.Hour)},
		},
	}
)

func (n notation) parse(text string) (int64, error) {
	digits := text[:len(text)-len(strings.TrimLeft(text, "0123456789"))]
	symbol := text[len(digits):]
	if digits == "" {
		return 0, fmt.Errorf("%s is not %s: %s", quote(text), n.article, n.form())
	}
	amount, err := strconv.ParseInt(digits, 10, 64)
	if err != nil { // digits alone can fail in one way only
		return 0, fmt.Errorf("%s is too large", quote(text))
	}
	if symbol == "" {
		if amount == 0 && n.bareZero {
			return 0, nil
		}
		return 0, fmt.Errorf("%s has no unit: %s", quote(text), n.form())
	}
	for _, u := range n.units {
		if u.symbol != symbol {
			continue
		}
		if product := amount * u.scale; product/u.scale == amount {
			return product, nil
		}
		return 0, fmt.Errorf("%s is too large", quote(text))
	}
	return 0, fmt.Errorf("%s is not %s: %s", quote(text), n.article, n.form())
}

// form says how to write an amount.
func (n notation) form() string {
	symbols := make([]string, len(n.units))
	for i, u := range n.units {
		symbols[i] = u.symbol
	}
	last := len(symbols) - 1
	return fmt.Sprintf("write a whole number and one of the units %s or %s, as in %s",
		strings.Join(symbols[:last], ", "), symbols[last], n.example)
}

func (n notation) format(amount int64) string {
	if amount == 0 {
		return n.zero
	}
	best := n.units[0]
	for _, u := range n.units {
		if amount%u.scale == 0 {
			best = u
		}
	}
	return strconv.FormatInt(amount/best.scale, 10) + best.symbol
}

package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Source says where a value came from or where a mistake is.
type Source struct {
	Name string // "default", a file, an environment variable, "--set", or "Config" for Config.Validate
	Line int    // line in a file, from 1; 0 elsewhere
}

// String returns the name, and the line if there is one, as in ilium.yaml:3. It stays on one line.
func (s Source) String() string {
	name := s.Name
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		name = strconv.Quote(name)
	}
	if s.Line == 0 {
		return name
	}
	return name + ":" + strconv.Itoa(s.Line)
}

// Problem is one mistake in the configuration. The errors of [Load] and [Config.Validate] join
// problems; errors.As finds the first of them.
type Problem struct {
	Source  Source
	Setting string // the name as written; empty if the mistake is not about one setting
	Message string // what is wrong and what is allowed
}

// Error returns source, setting and message separated by colons.
func (p *Problem) Error() string {
	if p.Setting == "" {
		return fmt.Sprintf("%s: %s", p.Source, p.Message)
	}
	return fmt.Sprintf("%s: %s: %s", p.Source, printName(p.Setting), p.Message)
}

// printName returns the name of a setting as it is, or quoted if it could not be one.
func printName(name string) string {
	odd := func(r rune) bool {
		return r != '_' && !('a' <= r && r <= 'z') && !('A' <= r && r <= 'Z') && !('0' <= r && r <= '9')
	}
	if name == "" || len(name) > maxQuoted || strings.ContainsFunc(name, odd) {
		return quote(name)
	}
	return name
}

// maxQuoted is the number of bytes of a value that a message repeats.
const maxQuoted = 64

// quote returns text in double quotes, cut short if it is long.
func quote(text string) string {
	if len(text) <= maxQuoted {
		return strconv.Quote(text)
	}
	cut := maxQuoted
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strconv.Quote(text[:cut]) + "..."
}

// unknown returns the problem of a name that is no setting. print turns the name of a known setting
// into the form that source uses.
func unknown(source Source, name string, print func(setting) string) *Problem {
	p := &Problem{Source: source, Setting: name, Message: "unknown setting"}
	if s := nearest(name); s != nil {
		p.Message += "; did you mean " + print(*s) + "?"
	}
	return p
}

// nearest returns the setting whose name takes the fewest edits to reach from name, or nil if none
// is close enough to be meant.
func nearest(name string) *setting {
	if len(name) > maxQuoted { // longer than every name by more than a third
		return nil
	}
	var best *setting
	limit := 1 + len(name)/3
	for _, s := range settings {
		if d := editDistance(strings.ToLower(name), s.name); d <= limit {
			best, limit = &s, d-1
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace to turn a into b (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1) // distances from a prefix of a to every prefix of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

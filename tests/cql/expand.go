package cql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// repetition is <<text*n>>.
var repetition = regexp.MustCompile(`<<(.+?)\*(\d+)>>`)

// expand replaces $ks and <<text*n>> in the input of a directive.
func expand(text, keyspace string) string {
	text = repetition.ReplaceAllStringFunc(text, func(match string) string {
		parts := repetition.FindStringSubmatch(match)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			return match
		}
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(parts[1], "$i", strconv.Itoa(i+1)))
		}
		return strings.TrimRight(b.String(), ", ")
	})
	return strings.ReplaceAll(text, "$ks", keyspace)
}

// shortest is the length from which a run of equal characters is written as <<x*n>>.
const shortest = 40

// shorten makes a line of an outcome readable and the same in every run.
func shorten(text, keyspace string) string {
	text = strings.ReplaceAll(text, keyspace, "ks")
	if len(text) < shortest {
		return text
	}
	var b strings.Builder
	for text != "" {
		first, size := utf8.DecodeRuneInString(text)
		end := size
		for end < len(text) && strings.HasPrefix(text[end:], text[:size]) {
			end += size
		}
		if n := end / size; n >= shortest {
			fmt.Fprintf(&b, "<<%c*%d>>", first, n)
		} else {
			b.WriteString(text[:end])
		}
		text = text[end:]
	}
	return b.String()
}

// splitStatements splits input into statements, which semicolons at the ends of lines end.
func splitStatements(input string) ([]string, error) {
	var statements []string
	var lines []string
	for line := range strings.SplitSeq(input, "\n") {
		statement, ended := strings.CutSuffix(line, ";")
		lines = append(lines, statement)
		if ended {
			statements = append(statements, strings.Join(lines, "\n"))
			lines = nil
		}
	}
	if strings.TrimSpace(strings.Join(lines, "")) != "" {
		return nil, fmt.Errorf("no semicolon at the end of %q", strings.Join(lines, "\n"))
	}
	return statements, nil
}

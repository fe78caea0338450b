package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// strictYAML decodes one file for viper. It gives viper the text of every setting that is written
// soundly, remembers its line, and records everything else as a problem. Reading goes on after a
// problem, so that one run finds them all; a syntax error ends it.
type strictYAML struct {
	file     string
	lines    []settingLine // in file order
	problems []*Problem
}

type settingLine struct {
	name string
	line int
}

// Decoder implements viper.DecoderRegistry.
func (y *strictYAML) Decoder(string) (viper.Decoder, error) { return y, nil }

// Decode implements viper.Decoder. It adds the settings in data to values as strings; a sequence
// becomes its items joined by commas. Mistakes go to y.problems, not to the result.
func (y *strictYAML) Decode(data []byte, values map[string]any) error {
	if line, text := firstBadLine(data); line != 0 {
		y.fail(line, "", text)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, extra yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		y.fail(syntaxError(err, data))
		return nil
	}
	if root := document.Content[0]; root.ShortTag() != "!!null" {
		y.mapping(root, values)
	}
	if err := decoder.Decode(&extra); err == nil {
		y.fail(extra.Line, "", "a second YAML document: a configuration is one document")
	} else if !errors.Is(err, io.EOF) {
		y.fail(syntaxError(err, data))
	}
	return nil
}

func (y *strictYAML) fail(line int, name, message string) {
	y.problems = append(y.problems, &Problem{Source: y.source(line), Setting: name, Message: message})
}

func (y *strictYAML) source(line int) Source { return Source{Name: y.file, Line: line} }

func (y *strictYAML) mapping(root *yaml.Node, values map[string]any) {
	if root.Kind != yaml.MappingNode {
		y.fail(root.Line, "", "is not a list of settings: write name: value, one per line")
		return
	}
	first := map[string]int{} // line of each key
	for pair := range slices.Chunk(root.Content, 2) {
		key, value := pair[0], pair[1]
		if key.Kind != yaml.ScalarNode || key.Value == "" {
			y.fail(key.Line, "", "the name of a setting must be plain text")
			continue
		}
		name := key.Value
		if line, again := first[name]; again {
			y.fail(key.Line, name, fmt.Sprintf("set twice; first on line %d", line))
			continue
		}
		first[name] = key.Line
		s := lookup(name)
		if s == nil {
			y.problems = append(y.problems, unknown(y.source(key.Line), name, func(s setting) string { return s.name }))
			continue
		}
		text, err := valueText(value, s.list)
		if err != nil {
			y.fail(key.Line, name, err.Error())
			continue
		}
		values[name] = text
		y.lines = append(y.lines, settingLine{name, key.Line})
	}
}

// valueText returns the text of a value as the user wrote it, before YAML makes a number or a date
// of it.
func valueText(value *yaml.Node, list bool) (string, error) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch {
	case value.Style&yaml.TaggedStyle != 0:
		return "", fmt.Errorf("has the YAML tag %s: tags are not supported", quote(value.Tag))
	case value.Kind == yaml.SequenceNode && list:
		items := make([]string, len(value.Content))
		for i, item := range value.Content {
			text, err := valueText(item, false)
			if err != nil {
				return "", fmt.Errorf("item %d: %w", i+1, err)
			}
			items[i] = text
		}
		return strings.Join(items, ","), nil
	case value.Kind == yaml.SequenceNode:
		return "", errors.New("is a list: write one value")
	case value.Kind == yaml.MappingNode:
		return "", errors.New("is a map: write one value")
	case value.ShortTag() == "!!null":
		return "", errors.New("has no value: leave the line out to get the default")
	}
	return value.Value, nil
}

// firstBadLine returns the first line that YAML cannot contain at all and what is wrong there, or 0.
func firstBadLine(data []byte) (line int, message string) {
	line = 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "is not valid UTF-8"
		case r == '\n':
			line++
		case unicode.IsControl(r) && r != '\t' && r != '\r' && r != '\u0085':
			return line, fmt.Sprintf("contains the control character %U", r)
		}
		data = data[size:]
	}
	return 0, ""
}

var (
	yamlLine   = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
	yamlAnchor = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)
)

// syntaxError returns the arguments of fail for an error of the YAML library. The library counts
// lines from 0 in its grammar errors and from 1 in the others, and names no line where it counts 0
// or an anchor is missing.
func syntaxError(err error, data []byte) (line int, name, message string) {
	line, message = 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if match := yamlLine.FindStringSubmatch(err.Error()); match != nil {
		message = match[2]
		if n, err := strconv.Atoi(match[1]); err == nil {
			line = n
		}
		if strings.HasPrefix(message, "did not find expected ") {
			line++
		}
	}
	if match := yamlAnchor.FindStringSubmatch(err.Error()); match != nil {
		if before, _, found := bytes.Cut(data, []byte("*"+match[1])); found {
			line = 1 + bytes.Count(before, []byte("\n"))
		}
	}
	last := 1 + bytes.Count(bytes.TrimRight(data, "\r\n"), []byte("\n")) // the end of the file counts as a line after it
	return min(line, last), "", "YAML syntax: " + message
}

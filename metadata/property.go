package metadata

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// find returns the value of the property, or nil.
func find(properties []ast.Property, name string) ast.Term {
	for _, p := range properties {
		if p.Name.Text == name {
			return p.Value
		}
	}
	return nil
}

// textOf returns the value of a property that is no map, as it was written but for quotes.
func textOf(name string, value ast.Term) (string, error) {
	if l, ok := value.(*ast.Literal); ok {
		return l.Text, nil
	}
	return "", schema.Malformed("Invalid value for property '%s'. It should be a string", name)
}

// mapOf returns the value of a property that is a map.
func mapOf(name string, value ast.Term) (map[string]string, error) {
	m, ok := value.(*ast.Map)
	if !ok {
		return nil, schema.Malformed("Invalid value for property '%s'. It should be a map.", name)
	}
	out := make(map[string]string, len(m.Entries))
	for _, e := range m.Entries {
		key, err := textOf(name, e.Key)
		if err != nil {
			return nil, err
		}
		if out[key], err = textOf(name, e.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func boolOf(name string, value ast.Term) (bool, error) {
	text, err := textOf(name, value)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(text) {
	case "1", "true", "yes":
		return true, nil
	case "0", "false", "no":
		return false, nil
	}
	return false, schema.Malformed("Invalid boolean value %s for '%s'. Positive values can be '1', 'true' or 'yes'. "+
		"Negative values can be '0', 'false' or 'no'.", text, name)
}

// intOf returns a number of 32 bits.
func intOf(name string, value ast.Term) (int64, error) {
	text, err := textOf(name, value)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, schema.Malformed("Invalid integer value %s for '%s'", text, name)
	}
	return n, nil
}

func doubleOf(name string, value ast.Term) (float64, error) {
	text, err := textOf(name, value)
	if err != nil {
		return 0, err
	}
	x, ok := parseDouble(text)
	if !ok {
		return 0, schema.Malformed("Invalid double value %s for '%s'", text, name)
	}
	return x, nil
}

// parseDouble reads what Java's Double.parseDouble does: blanks around the number and one of fFdD
// behind it are allowed, the infinities and NaN only in the one spelling.
func parseDouble(text string) (float64, bool) {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' })
	unsigned := strings.TrimLeft(text, "+-")
	if unsigned == "" || strings.Contains(text, "_") {
		return 0, false
	}
	if c := unsigned[0]; c != '.' && (c < '0' || c > '9') {
		if unsigned != "NaN" && unsigned != "Infinity" {
			return 0, false
		}
	} else if strings.ContainsRune("fFdD", rune(text[len(text)-1])) && !strings.HasPrefix(unsigned, "0x") {
		text = text[:len(text)-1]
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is infinite or zero
		return 0, false
	}
	return x, true
}

// formatDouble writes x as Java's Double.toString does: 0.01, 1.0, 1.0E-4.
func formatDouble(x float64) string {
	abs := math.Abs(x)
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 0):
		return strings.TrimPrefix(strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), "Inf", "Infinity", 1), "+")
	case abs != 0 && (abs < 1e-3 || abs >= 1e7):
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'E', -1, 64), "E")
		n, _ := strconv.Atoi(exponent) // FormatFloat wrote it
		return withPoint(mantissa) + "E" + strconv.Itoa(n)
	}
	return withPoint(strconv.FormatFloat(x, 'f', -1, 64))
}

func withPoint(digits string) string {
	if strings.Contains(digits, ".") {
		return digits
	}
	return digits + ".0"
}

package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// decodeJSON reads a JSON text. Numbers keep their digits.
func decodeJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// javaShown returns how Java calls the type of a decoded value, and writes it: error messages have both.
func javaShown(v any) (class, text string) {
	switch v := v.(type) {
	case string:
		return "String", v
	case bool:
		return "Boolean", strconv.FormatBool(v)
	case json.Number:
		return javaNumber(v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			_, parts[i] = javaShown(e)
		}
		return "ArrayList", "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		var parts []string
		for key, e := range v {
			_, shown := javaShown(e)
			parts = append(parts, key+"="+shown)
		}
		slices.Sort(parts)
		return "LinkedHashMap", "{" + strings.Join(parts, ", ") + "}"
	}
	return "null", "null"
}

func javaNumber(n json.Number) (class, text string) {
	if strings.ContainsAny(string(n), ".eE") {
		f, err := strconv.ParseFloat(string(n), 64)
		if err != nil {
			return "Double", string(n)
		}
		return "Double", javaFloat(f, 64)
	}
	switch i, err := strconv.ParseInt(string(n), 10, 64); {
	case err != nil:
		return "BigInteger", string(n)
	case i < math.MinInt32 || i > math.MaxInt32:
		return "Long", string(n)
	}
	return "Integer", string(n)
}

// unexpected words the refusal of a decoded value.
func unexpected(wanted string, v any) error {
	class, text := javaShown(v)
	return valueErrorf("Expected %s, but got a %s: %s", wanted, class, text)
}

// fromJSON encodes a decoded value, which is not null, as a type.
func fromJSON(t *cqltype.Type, v any) ([]byte, error) {
	switch t.Kind() {
	case cqltype.KindTinyint:
		return wholeFromJSON(t, v, "a byte value", "byte", 8)
	case cqltype.KindSmallint:
		return wholeFromJSON(t, v, "a short value", "short", 16)
	case cqltype.KindInt:
		return wholeFromJSON(t, v, "an int value", "int", 32)
	case cqltype.KindBigint, cqltype.KindCounter:
		return wholeFromJSON(t, v, "a bigint value", "long", 64)
	case cqltype.KindFloat:
		return floatFromJSON(t, v, "a float value", "float", 32)
	case cqltype.KindDouble:
		return floatFromJSON(t, v, "a double value", "double", 64)
	case cqltype.KindBoolean:
		switch b := v.(type) {
		case string:
			return t.Encode(strings.EqualFold(b, "true"))
		case bool:
			return t.Encode(b)
		}
		return nil, unexpected("a boolean value", v)
	case cqltype.KindVarint, cqltype.KindDecimal:
		return numberFromJSON(t, v)
	case cqltype.KindList, cqltype.KindSet, cqltype.KindVector, cqltype.KindTuple:
		return listFromJSON(t, v)
	case cqltype.KindMap:
		return mapFromJSON(t, v)
	case cqltype.KindUDT:
		return fieldsFromJSON(t, v)
	}
	return textFromJSON(t, v)
}

func wholeFromJSON(t *cqltype.Type, v any, wanted, kind string, size int) ([]byte, error) {
	text, isText := v.(string)
	if n, ok := v.(json.Number); ok && !strings.ContainsAny(string(n), ".eE") {
		text = string(n)
	} else if !isText {
		return nil, unexpected(wanted, v)
	}
	n, err := strconv.ParseInt(text, 10, size)
	switch {
	case err != nil && isText:
		return nil, valueErrorf("Unable to make %s from '%s'", kind, text)
	case err != nil:
		return nil, unexpected(wanted, v)
	}
	return number{kind: t.Kind(), whole: n}.encode(t), nil
}

func floatFromJSON(t *cqltype.Type, v any, wanted, kind string, size int) ([]byte, error) {
	text, isText := v.(string)
	if n, ok := v.(json.Number); ok {
		text = string(n)
	} else if !isText {
		return nil, unexpected(wanted, v)
	}
	f, err := strconv.ParseFloat(text, size)
	if err != nil && !math.IsInf(f, 0) {
		return nil, valueErrorf("Unable to make %s from '%s'", kind, text)
	}
	return number{kind: t.Kind(), float: f}.encode(t), nil
}

func numberFromJSON(t *cqltype.Type, v any) ([]byte, error) {
	_, text := javaShown(v)
	if n, ok := v.(json.Number); ok {
		text = string(n)
	}
	kind := cqltype.LiteralInteger
	if t.Kind() == cqltype.KindDecimal {
		kind = cqltype.LiteralFloat
	}
	out, err := t.FromLiteral(kind, text)
	if err != nil {
		return nil, fmt.Errorf("Value '%s' is not a valid representation of a %s value", text, t)
	}
	return out, nil
}

// textFromJSON encodes what JSON has no form for, written as text.
func textFromJSON(t *cqltype.Type, v any) ([]byte, error) {
	text, ok := v.(string)
	wanted := "a string representation of a " + t.String() + " value"
	kind := cqltype.LiteralString
	switch t.Kind() {
	case cqltype.KindText:
		wanted = "a UTF-8 string"
	case cqltype.KindASCII:
		wanted = "an ascii string"
	case cqltype.KindInet:
		wanted = "a string representation of an inet value"
	case cqltype.KindUUID, cqltype.KindTimeUUID:
		wanted, kind = "a string representation of a "+t.String(), cqltype.LiteralUUID
	case cqltype.KindDuration:
		wanted, kind = "a string representation of a duration", cqltype.LiteralDuration
	case cqltype.KindTimestamp:
		wanted = "a long or a datestring representation of a timestamp value"
		if n, isNumber := v.(json.Number); isNumber && !strings.ContainsAny(string(n), ".eE") {
			text, ok, kind = string(n), true, cqltype.LiteralInteger
		}
	case cqltype.KindBlob:
		return blobFromJSON(t, v)
	}
	if !ok {
		return nil, unexpected(wanted, v)
	}
	return t.FromLiteral(kind, text)
}

func blobFromJSON(t *cqltype.Type, v any) ([]byte, error) {
	_, text := javaShown(v)
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok {
		return nil, fmt.Errorf("Value '%s' is not a valid blob representation: String representation of blob is missing 0x prefix: %s", text, text)
	}
	out, err := t.FromLiteral(cqltype.LiteralHex, "0x"+digits)
	if err != nil {
		return nil, fmt.Errorf("Value '%s' is not a valid blob representation: %s", text, err)
	}
	return out, nil
}

// nested decodes a text that stands where a collection is expected, such as the key of a map.
func nested(v any) any {
	if text, ok := v.(string); ok {
		if inner, err := decodeJSON(text); err == nil {
			return inner
		}
	}
	return v
}

func listFromJSON(t *cqltype.Type, v any) ([]byte, error) {
	list, ok := nested(v).([]any)
	if !ok {
		wanted := "a list"
		switch t.Kind() {
		case cqltype.KindSet:
			wanted = "a list (representing a set)"
		case cqltype.KindTuple:
			wanted = "a list representation of a tuple"
		}
		return nil, unexpected(wanted, v)
	}
	if n := len(t.FieldTypes()); t.Kind() == cqltype.KindTuple && len(list) > n {
		_, text := javaShown(v)
		return nil, valueErrorf("Tuple contains extra items (expected %d): %s", n, text)
	}
	elements := make([][]byte, len(list))
	for i, e := range list {
		inner := t.ElementType()
		if t.Kind() == cqltype.KindTuple {
			inner = t.FieldTypes()[i]
		}
		if e == nil && t.Kind() == cqltype.KindTuple {
			continue
		}
		if e == nil {
			return nil, valueErrorf("Invalid null element in %s", t.Kind())
		}
		var err error
		if elements[i], err = fromJSON(inner, e); err != nil {
			return nil, err
		}
	}
	return t.Build(elements)
}

func mapFromJSON(t *cqltype.Type, v any) ([]byte, error) {
	entries, ok := nested(v).(map[string]any)
	if !ok {
		return nil, unexpected("a map", v)
	}
	var elements [][]byte
	for _, key := range slices.Sorted(maps.Keys(entries)) { // of two spellings of a key always the same wins
		e := entries[key]
		if e == nil {
			return nil, valueErrorf("Invalid null value in map")
		}
		k, err := fromJSON(t.KeyType(), key)
		if err != nil {
			return nil, err
		}
		value, err := fromJSON(t.ValueType(), e)
		if err != nil {
			return nil, err
		}
		elements = append(elements, k, value)
	}
	return t.Build(elements)
}

func fieldsFromJSON(t *cqltype.Type, v any) ([]byte, error) {
	entries, ok := nested(v).(map[string]any)
	if !ok {
		return nil, unexpected("a map", v)
	}
	entries = foldNames(entries)
	elements := make([][]byte, len(t.Fields()))
	for i, f := range t.Fields() {
		e := entries[f.Name]
		delete(entries, f.Name)
		if e == nil {
			continue
		}
		var err error
		if elements[i], err = fromJSON(f.Type, e); err != nil {
			return nil, err
		}
	}
	if name := leastKey(entries); len(entries) > 0 {
		_, typeName := t.UDTName()
		return nil, valueErrorf("Unknown field '%s' in value of user defined type %s", name, typeName)
	}
	return t.Build(elements)
}

func leastKey(entries map[string]any) string {
	least := ""
	for name := range entries {
		if least == "" || name < least {
			least = name
		}
	}
	return least
}

// foldNames reads names as CQL does: without regard to case, unless they are quoted.
func foldNames(entries map[string]any) map[string]any {
	out := make(map[string]any, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) { // of two spellings of a name always the same wins
		v := entries[name]
		if n := len(name); n >= 2 && name[0] == '"' && name[n-1] == '"' {
			out[name[1:n-1]] = v
		} else {
			out[strings.ToLower(name)] = v
		}
	}
	return out
}

// fromJSONFunction is from_json for a value of a type.
func fromJSONFunction(receiver *cqltype.Type) (*function, error) {
	if receiver == nil {
		return nil, schema.Invalid("from_json() cannot be used in the selection clause of a SELECT statement")
	}
	failed := func(message string) error {
		return &schema.FunctionFailedError{Keyspace: "system", Function: "from_json", Arguments: []string{"text"}, Message: message}
	}
	return &function{name: "from_json", arguments: []*cqltype.Type{cqltype.TypeText}, result: receiver, eval: func(_ *Binding, arguments [][]byte) ([]byte, error) {
		if arguments[0] == nil {
			return nil, nil
		}
		v, err := decodeJSON(string(arguments[0]))
		if err != nil {
			return nil, failed(fmt.Sprintf("execution of 'system.from_json[text]' failed: Could not decode JSON string '%s': %s", arguments[0], err))
		}
		if v == nil {
			return nil, nil
		}
		out, err := fromJSON(receiver, v)
		if err != nil {
			return nil, failed("org.apache.cassandra.serializers.MarshalException: " + err.Error())
		}
		return out, nil
	}}, nil
}

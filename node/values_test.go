package node_test

import (
	"errors"
	"math"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// everyType lists all types of CQL. A column is named after its type.
var everyType = []string{
	"ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint",
	"text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varchar", "varint", "vector<float, 3>", "vector<text, 2>",
	"list<int>", "set<text>", "map<text, int>", "frozen<list<int>>", "frozen<set<text>>", "frozen<map<text, int>>",
	"map<varint, text>", "set<inet>", "list<frozen<map<text, frozen<set<int>>>>>", "tuple<int, text, boolean>",
	"address", "frozen<address>", "list<frozen<address>>",
}

// quoted returns the name of the column for a type.
func quoted(cqlType string) string { return `"` + cqlType + `"` }

// typedTable is a session with a table of all types, and a type address made of street, number and tags.
type typedTable struct {
	*node.Session
}

func newTypedTable(t testing.TB) typedTable {
	t.Helper()
	s := newSession(t)
	exec(t, s, "CREATE TYPE address (street text, number int, tags frozen<set<text>>)")
	columns := []string{"k int PRIMARY KEY"}
	for _, name := range everyType {
		columns = append(columns, quoted(name)+" "+name)
	}
	exec(t, s, "CREATE TABLE types ("+strings.Join(columns, ", ")+")")
	return typedTable{s}
}

func (s typedTable) store(t testing.TB, column string, value any) {
	t.Helper()
	exec(t, s.Session, "UPDATE types SET "+quoted(column)+" = ? WHERE k = 1", value)
}

func (s typedTable) load(column string) *node.Query {
	return s.Query("SELECT " + quoted(column) + " FROM types WHERE k = 1")
}

// check stores a value in a column and wants it back in a variable of want's type.
func (s typedTable) check(t testing.TB, column string, value, want any) {
	t.Helper()
	exec(t, s.Session, "INSERT INTO types (k) VALUES (1)") // null leaves no row otherwise
	s.store(t, column, value)
	got := reflect.New(reflect.TypeOf(want))
	if err := s.load(column).Scan(t.Context(), got.Interface()); err != nil {
		t.Errorf("%s: %v", column, err)
	} else if !reflect.DeepEqual(got.Elem().Interface(), want) {
		t.Errorf("%s: stored %#v, got %#v, want %#v", column, value, got.Elem(), want)
	}
}

// same is check for a value that comes back as it is.
func (s typedTable) same(t testing.TB, column string, values ...any) {
	t.Helper()
	for _, v := range values {
		s.check(t, column, v, v)
	}
}

// named types count as what they are made of.
type (
	word   string
	amount int16
	flag   bool
)

func ptr[T any](v T) *T { return &v }

func huge() *big.Int { return new(big.Int).Lsh(big.NewInt(-3), 200) }

func TestTextValues(t *testing.T) {
	s := newTypedTable(t)
	for _, column := range []string{"ascii", "text", "varchar"} {
		s.same(t, column, "word", "", []byte("bytes"), word("named"), ptr("pointer"))
		s.check(t, column, []byte("bytes"), "bytes")
	}
	s.same(t, "text", "Ünïcødé 世界 \U0001F3D4", "line\nbreak", "nul\x00inside")
	s.same(t, "blob", []byte{0, 255}, []byte{}, "text", ptr([]byte{1}))
}

func TestNumberValues(t *testing.T) {
	s := newTypedTable(t)
	s.same(t, "boolean", true, false, flag(true), ptr(true))
	s.same(t, "tinyint", int8(math.MinInt8), int16(127), 7, uint8(127), amount(-3), ptr(int8(1)), big.NewInt(-128))
	s.same(t, "smallint", int16(math.MinInt16), 32767, uint16(1), amount(-3), big.NewInt(5))
	s.same(t, "int", int32(math.MinInt32), math.MaxInt32, int64(-1), uint(1), amount(-3), ptr(ptr(1)), big.NewInt(5))
	s.same(t, "bigint", int64(math.MinInt64), math.MaxInt64, int8(1), uint64(1), amount(-3), big.NewInt(5))
	s.same(t, "varint", huge(), 7, int64(math.MinInt64), uint64(math.MaxUint64), "-123456789012345678901234567890", amount(-3))
	s.check(t, "varint", huge(), huge().String())
	s.same(t, "float", float32(1.5), math.Inf(-1), float32(math.MaxFloat32))
	s.same(t, "double", 1e300, math.SmallestNonzeroFloat64, math.Inf(1))
	s.check(t, "double", float32(0.5), 0.5)
	s.check(t, "float", float32(0.1), float64(float32(0.1)))
	s.same(t, "decimal", cqltype.Decimal{Unscaled: huge(), Scale: 7}, "-12.3400")
	s.check(t, "decimal", 12, "12")
	s.check(t, "decimal", huge(), cqltype.Decimal{Unscaled: huge()})
}

func TestTimeValues(t *testing.T) {
	s := newTypedTable(t)
	at := time.Date(2019, 3, 5, 8, 15, 30, 123e6, time.UTC)
	s.same(t, "timestamp", at, int64(-1), ptr(at), time.UnixMilli(0).UTC())
	s.check(t, "timestamp", at.Add(999*time.Microsecond).In(time.FixedZone("east", 3600)), at) // milliseconds, in UTC
	s.check(t, "timestamp", "2019-03-05 08:15:30.123+0000", at)
	s.same(t, "date", cqltype.Date(math.MinInt32), cqltype.Date(17960), "2019-03-05")
	s.check(t, "date", at, time.Date(2019, 3, 5, 0, 0, 0, 0, time.UTC))
	s.same(t, "time", 25*time.Minute, int64(86_399_999_999_999), "08:15:30.000000001")
	s.same(t, "duration", cqltype.Duration{Months: 14, Days: 3, Nanoseconds: 5}, "1y2mo3d5ns")
	s.check(t, "duration", 90*time.Minute, cqltype.Duration{Nanoseconds: 90 * int64(time.Minute)})
}

func TestAddressValues(t *testing.T) {
	s := newTypedTable(t)
	s.same(t, "inet", netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), "192.0.2.1")
	s.check(t, "inet", net.ParseIP("2001:db8::1"), "2001:db8::1")
	s.check(t, "inet", "192.0.2.1", net.IPv4(192, 0, 2, 1).To4())
	id := cqltype.UUID{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00} // version 1
	for _, column := range []string{"uuid", "timeuuid"} {
		s.same(t, column, id, [16]byte(id), id[:], id.String(), ptr(id))
	}
}

func TestCollectionValues(t *testing.T) {
	s := newTypedTable(t)
	for _, column := range []string{"list<int>", "frozen<list<int>>"} {
		s.same(t, column, []int{3, 1, 3}, [2]int8{2, 1}, []amount{5})
		s.check(t, column, []int{3, 1}, []any{int32(3), int32(1)})
	}
	for _, column := range []string{"set<text>", "frozen<set<text>>"} {
		s.check(t, column, []string{"b", "a", "b"}, []string{"a", "b"})
		s.same(t, column, map[string]struct{}{"a": {}, "b": {}}, [1]string{"a"}, []word{"a", "b"})
	}
	for _, column := range []string{"map<text, int>", "frozen<map<text, int>>"} {
		s.same(t, column, map[string]int{"a": 1, "b": 2}, map[word]amount{"": 3}, []cqltype.Entry{{Key: "a", Value: int32(1)}})
	}
	s.check(t, "map<varint, text>", []cqltype.Entry{{Key: huge(), Value: "huge"}}, map[string]string{huge().String(): "huge"})
	s.same(t, "set<inet>", []netip.Addr{netip.MustParseAddr("192.0.2.1")})
	s.same(t, "list<frozen<map<text, frozen<set<int>>>>>", []map[string][]int{{"a": {1, 2}}, {}})
	s.same(t, "vector<float, 3>", []float32{1, -2, 0.5}, [3]float64{1, 2, 3})
	s.same(t, "vector<text, 2>", []string{"", "long"})

	// A collection that is not frozen does not exist without elements.
	s.check(t, "list<int>", []int{}, []int(nil))
	s.check(t, "frozen<list<int>>", []int{}, []int{})
}

func TestTupleValues(t *testing.T) {
	type triple struct {
		Number int
		Word   *string
		Flag   bool
	}
	const column = "tuple<int, text, boolean>"
	s := newTypedTable(t)
	s.same(t, column, triple{1, ptr("a"), true}, triple{Number: 2})
	s.check(t, column, triple{1, ptr("a"), true}, []any{int32(1), "a", true})
	s.check(t, column, []any{1, nil, false}, triple{Number: 1})
	s.check(t, column, struct{ Only int }{7}, triple{Number: 7})
}

func TestUserTypeValues(t *testing.T) {
	type address struct {
		Road   string `cql:"street"`
		Number *int
		Tags   []string
	}
	s := newTypedTable(t)
	home := address{"High Street", ptr(5), []string{"old", "red"}}
	for _, column := range []string{"address", "frozen<address>"} {
		s.same(t, column, home, address{Road: "nowhere"}, &home)
		s.check(t, column, home, map[string]any{"street": "High Street", "number": int32(5), "tags": []string{"old", "red"}})
		s.check(t, column, map[string]any{"number": 5}, address{Number: ptr(5)})
	}
	s.same(t, "list<frozen<address>>", []address{home, {}})
	if err := s.Query("UPDATE types SET address = ? WHERE k = 1", map[string]any{"door": 1}).Exec(t.Context()); err == nil {
		t.Error("a field that the type does not have was taken")
	}
}

func TestNull(t *testing.T) {
	s := newTypedTable(t)
	for _, column := range everyType {
		s.check(t, column, nil, (*any)(nil))
	}
}

// Null becomes the zero value, or a nil pointer.
func TestNullDestinations(t *testing.T) {
	s := newTypedTable(t)
	exec(t, s.Session, "INSERT INTO types (k) VALUES (1)")
	number, text, list, pointer, anything := 1, "x", []int{1}, ptr(1), any(1)
	scan(t, s.load("int"), &number)
	scan(t, s.load("text"), &text)
	scan(t, s.load("list<int>"), &list)
	scan(t, s.load("bigint"), &pointer)
	scan(t, s.load("uuid"), &anything)
	if number != 0 || text != "" || list != nil || pointer != nil || anything != nil {
		t.Errorf("null was stored as %v, %q, %v, %v, %v", number, text, list, pointer, anything)
	}
	s.check(t, "int", (*int)(nil), (*int)(nil))
	s.check(t, "frozen<list<int>>", []int(nil), (*[]int)(nil))
	s.check(t, "frozen<map<text, int>>", map[string]int(nil), (*map[string]int)(nil))
	s.check(t, "blob", []byte(nil), (*[]byte)(nil))
}

// An empty text is a value, also where it is the first one bound.
func TestEmptyTextIsNotNull(t *testing.T) {
	s := newTypedTable(t)
	s.check(t, "text", "", ptr(""))
	s.check(t, "blob", []byte{}, ptr([]byte{}))
}

// upside is a type with its own form in the database.
type upside struct{ text string }

func (u upside) EncodeCQL(_ *cqltype.Type) ([]byte, error) { return []byte(turned(u.text)), nil }

func (u *upside) DecodeCQL(_ *cqltype.Type, value []byte) error {
	u.text = turned(string(value))
	return nil
}

func turned(text string) string {
	var out strings.Builder
	for i := len(text) - 1; i >= 0; i-- {
		out.WriteByte(text[i])
	}
	return out.String()
}

func TestOwnEncoding(t *testing.T) {
	s := newTypedTable(t)
	s.same(t, "text", upside{"abc"})
	s.check(t, "text", upside{"abc"}, "cba")
}

func TestWrongDestination(t *testing.T) {
	s := newTypedTable(t)
	check := func(column string, value, dest any, want string) {
		t.Helper()
		s.store(t, column, value)
		err := s.load(column).Scan(t.Context(), dest)
		checkError(t, err, "column "+column+": ")
		checkError(t, err, want)
		var wrong *cqltype.ValueError
		if !errors.As(err, &wrong) {
			t.Errorf("%v is a %T, want a ValueError", err, err)
		}
	}
	check("text", "a", new(int), "cannot decode text into int")
	check("int", 300, new(int8), "300 does not fit in *int8")
	check("int", -1, new(uint), "-1 does not fit in *uint")
	check("int", 1, 5, "not a pointer")
	check("double", 1.5, new(float32), "cannot decode double into float32")
	check("boolean", true, new(string), "cannot decode boolean into string")
	check("list<int>", []int{1}, new([]string), "cannot decode int into string")
	check("list<int>", []int{1}, new([2]int), "cannot decode 1 elements")
	check("map<text, int>", map[string]int{"a": 1}, new([]int), "cannot decode map<text, int>")
	check("address", map[string]any{"number": 1}, new(struct{ Other int }), "do not match")
	check("timestamp", time.Now(), new(bool), "cannot decode timestamp into bool")
}

// The natural Go type of each CQL type is what ScanMap gives.
func TestNaturalTypes(t *testing.T) {
	s := newTypedTable(t)
	for column, value := range map[string]any{
		"ascii": "a", "bigint": int64(1), "blob": []byte{1}, "boolean": true, "date": cqltype.Date(1), "double": 1.5,
		"duration": cqltype.Duration{Days: 1}, "float": float32(1.5), "inet": netip.MustParseAddr("::1"), "int": int32(1),
		"smallint": int16(1), "text": "a", "time": time.Second, "timestamp": time.UnixMilli(1).UTC(), "tinyint": int8(1),
		"uuid": cqltype.UUID{1}, "varchar": "a", "varint": big.NewInt(1), "vector<float, 3>": []float32{1, 2, 3},
		"decimal": cqltype.Decimal{Unscaled: big.NewInt(15), Scale: 1}, "list<int>": []int32{1}, "set<text>": []string{"a"},
		"map<text, int>": map[string]int32{"a": 1}, "map<varint, text>": []cqltype.Entry{{Key: big.NewInt(1), Value: "a"}},
		"tuple<int, text, boolean>": []any{int32(1), nil, true},
		"address":                   map[string]any{"street": "a", "number": int32(1), "tags": []string{"b"}},
	} {
		s.store(t, column, value)
		rows := s.load(column).Iter(t.Context())
		rows.Next()
		got, err := rows.ScanMap()
		if want := map[string]any{column: value}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v and error %v, want %#v", column, got, err, want)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
}

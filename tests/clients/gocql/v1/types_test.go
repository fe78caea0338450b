package v1

import (
	"fmt"
	"math/big"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"
)

// A value is stored in a column of its type and read back.
type value struct {
	cql   string
	value any
}

func values(version int) []value {
	all := []value{
		{"ascii", "abc"}, {"ascii", ""}, {"bigint", int64(1) << 40}, {"blob", []byte{1, 2}}, {"blob", []byte{}}, {"boolean", true},
		{"decimal", *inf.NewDec(12345, 2)}, {"decimal", *inf.NewDec(-5, -3)}, {"double", 1.5}, {"float", float32(2.5)},
		{"inet", net.IPv4(10, 1, 2, 3).To4()}, {"inet", net.ParseIP("2001:db8::1")}, {"int", 7},
		{"text", "grün"}, {"text", ""}, {"timestamp", time.UnixMilli(1700000000123).UTC()},
		{"timestamp", time.UnixMilli(-1).UTC()}, {"timeuuid", gocql.TimeUUID()},
		{"uuid", gocql.MustRandomUUID()}, {"varchar", "v"}, {"varint", *big.NewInt(-99)}, {"varint", *new(big.Int).Lsh(big.NewInt(1), 200)},
		{"list<int>", []int{3, 1, 2}}, {"set<text>", []string{"a", "b"}}, {"map<text, int>", map[string]int{"x": 1}},
		{"frozen<list<int>>", []int{3, 1, 2}}, {"frozen<list<int>>", []int{}}, {"frozen<set<uuid>>", []gocql.UUID{{1}, {2}}},
		{"frozen<map<int, text>>", map[int]string{1: "one", 2: ""}}, {"frozen<list<frozen<map<int, text>>>>", []map[int]string{{1: "one"}}},
		{"map<text, frozen<list<frozen<set<int>>>>>", map[string][][]int{"x": {{1, 2}, {3}}}},
	}
	if version >= 4 { // this driver knows some types only there
		all = append(all, value{"date", time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}, value{"date", time.Date(1583, 1, 1, 0, 0, 0, 0, time.UTC)},
			value{"smallint", int16(-3)}, value{"time", 3 * time.Second}, value{"tinyint", int8(-1)}, value{"duration", gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3}})
	}
	return all
}

// types stores a value of each type and reads it back, and null for it.
func types(t *testing.T, s *gocql.Session, version int) {
	run(t, s, "CREATE TABLE types (k int PRIMARY KEY)")
	for i, v := range values(version) {
		column := fmt.Sprint("v", i)
		run(t, s, fmt.Sprintf("ALTER TABLE types ADD %s %s", column, v.cql))
		run(t, s, "INSERT INTO types (k, "+column+") VALUES (?, ?)", 2*i, v.value)
		run(t, s, "INSERT INTO types (k, "+column+") VALUES (?, ?)", 2*i+1, nil)
		read := "SELECT " + column + " FROM types WHERE k = ?"
		got := reflect.New(reflect.TypeOf(v.value))
		if err := s.Query(read, 2*i).Scan(got.Interface()); err != nil {
			t.Errorf("%s: %v", v.cql, err)
		} else if fmt.Sprint(got.Elem().Interface()) != fmt.Sprint(v.value) {
			t.Errorf("%s: %v became %v", v.cql, v.value, got.Elem())
		}
		null := reflect.New(reflect.PointerTo(reflect.TypeOf(v.value)))
		null.Elem().Set(got)
		if err := s.Query(read, 2*i+1).Scan(null.Interface()); err != nil || !null.Elem().IsNil() {
			t.Errorf("%s: null became %v, %v", v.cql, null.Elem(), err)
		}
	}
}

// An address is a value of a user type.
type address struct {
	Street string   `cql:"street"`
	Lines  []string `cql:"lines"`
	Number *int     `cql:"number"`
}

// composites stores a user type, alone and in a collection, and a tuple.
func composites(t *testing.T, s *gocql.Session) {
	run(t, s, "CREATE TYPE address (street text, lines frozen<list<text>>, number int)")
	run(t, s, "CREATE TABLE composites (k int PRIMARY KEY, a address, f frozen<list<frozen<address>>>, t tuple<int, text, float>)")
	number := 7
	want := address{"Main", []string{"a", ""}, &number}
	run(t, s, "INSERT INTO composites (k, a, f, t) VALUES (?, ?, ?, (?, ?, ?))", 1, want, []address{want, {Street: "x"}}, 1, "two", float32(3))
	var a address
	var f []address
	if err := s.Query("SELECT a, f FROM composites WHERE k = 1").Scan(&a, &f); err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("%+v %v", a, err)
	}
	if len(f) != 2 || !reflect.DeepEqual(f[0], want) || f[1].Street != "x" || f[1].Number != nil {
		t.Errorf("%+v", f)
	}
	var x int
	var y string
	var z float32
	if err := s.Query("SELECT t FROM composites WHERE k = 1").Scan(&x, &y, &z); err != nil || x != 1 || y != "two" || z != 3 {
		t.Error(x, y, z, err)
	}
}

package grammar_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
)

func TestLimits(t *testing.T) {
	accepted := func(text string) {
		t.Helper()
		if _, err := grammar.Parse(text); err != nil {
			t.Errorf("%.40q...: %v", text, err)
		}
	}
	refused := func(text, want string) {
		t.Helper()
		if _, err := grammar.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%.40q...: got %v, want %s", text, err, want)
		}
	}
	repeat := strings.Repeat
	nested := func(open, inner, end string, levels int) string {
		return repeat(open, levels) + inner + repeat(end, levels)
	}
	where := func(term string) string { return "SELECT * FROM t WHERE a = " + term }
	const depth, operators = grammar.MaxDepth, grammar.MaxOperators
	tooDeep := func(column int) string {
		return fmt.Sprintf("line 1:%d brackets are nested deeper than %d levels", column, depth)
	}
	tooLong := func(column int) string {
		return fmt.Sprintf("line 1:%d expression has more than %d operators", column, operators)
	}

	for _, b := range []string{"()", "[]", "{}"} {
		open, end := b[:1], b[1:]
		accepted(where(nested(open, "1", end, depth)))
		refused(where(nested(open, "1", end, depth+1)), tooDeep(26+depth))
		refused(where(repeat(open, 1<<20)), tooDeep(26+depth))
		accepted("SELECT " + nested(open, "a", end, depth) + " FROM t")
		refused("SELECT "+nested(open, "a", end, depth+1)+" FROM t", tooDeep(7+depth))
	}
	accepted(where(nested("f(", "1", ")", depth)))
	refused(where(repeat("f(", 1<<20)), tooDeep(26+2*depth+1))
	accepted("SELECT * FROM t WHERE " + nested("(", "a = 1", ")", depth))
	refused("SELECT * FROM t WHERE "+nested("(", "a = 1", ")", depth+1), tooDeep(22+depth))
	accepted("CREATE TABLE t (a " + nested("list<", "int", ">", depth-1) + ")")
	refused("CREATE TABLE t (a "+nested("list<", "int", ">", depth)+")", tooDeep(18+5*depth-1))
	refused("CREATE TABLE t (a "+repeat("tuple<int, map<int, ", 1<<18), tooDeep(18+20*(depth/2)-6))

	accepted(where("1" + repeat(" + 1", operators)))
	refused(where("1"+repeat(" + 1", operators+1)), tooLong(26+2+4*operators))
	refused(where("1"+repeat(" * 1", 1<<20)), tooLong(26+2+4*operators))
	accepted(where(repeat("- ", operators) + "1"))
	refused(where(repeat("- ", 1<<20)+"1"), tooLong(26+2*operators))
	refused(where(repeat("(int)", 1<<20)+"1"), tooLong(26+5*(operators+1)))
	refused("SELECT a"+repeat(".a", 1<<20)+" FROM t", tooLong(8+2*operators))
	refused("SELECT a"+repeat("[1]", 1<<20)+" FROM t", tooLong(8+3*operators))
	refused("SELECT "+repeat("- ", 1<<20)+"a FROM t", tooLong(7+2*operators))

	accepted(where("[" + repeat("1 + 2, ", 5000) + "3]"))
	accepted("UPDATE t SET a = 1 WHERE k = 1 IF list < 3" + repeat(" AND list < 3 AND map < 4", 500))
	accepted("BEGIN BATCH " + repeat("UPDATE ks.t SET a = 1 + 1 WHERE k = 1 IF list < 2 ", 2000) + "APPLY BATCH")
	accepted("BEGIN BATCH " + repeat("DELETE FROM ks.t WHERE k = 1 + 1 ", 2000) + "APPLY BATCH")
	accepted("BEGIN BATCH " + repeat("INSERT INTO ks.t (a) VALUES (1) ", 2000) + "APPLY BATCH")

	accepted(where("[" + repeat("?,", grammar.MaxMarkers-1) + "?]"))
	refused(where("["+repeat("?,", grammar.MaxMarkers)+"?]"), fmt.Sprintf("line 1:%d statement has more than 65535 bind markers", 27+2*grammar.MaxMarkers))

	accepted(where("1" + repeat(";", grammar.MaxTokens-8)))
	refused(where("1"+repeat(";", grammar.MaxTokens-7)), fmt.Sprintf("line 1:%d statement has more than 1000000 tokens", 27+grammar.MaxTokens-8))

	const wrapper = "SELECT '' FROM t"
	accepted(strings.Replace(wrapper, "''", "'"+repeat("x", grammar.MaxTextBytes-len(wrapper))+"'", 1))
	refused(strings.Replace(wrapper, "''", "'"+repeat("x", grammar.MaxTextBytes-len(wrapper)+1)+"'", 1),
		"line 1:0 statement has 16777217 bytes, more than 16777216")
}

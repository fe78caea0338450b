package grammar_test

import (
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/grammar/gen"
)

// keywords returns all keywords in lower case.
func keywords(t *testing.T) []string {
	t.Helper()
	gen.CqlLexerInit()
	words := []string{"table", "columnfamily", "tables", "columnfamilies", "true", "false"}
	for _, symbol := range gen.CqlLexerLexerStaticData.SymbolicNames {
		word, ok := strings.CutPrefix(symbol, "K_")
		if ok && word != "COLUMNFAMILY" && word != "TABLES" {
			words = append(words, strings.ToLower(word))
		}
	}
	if len(words) < 150 {
		t.Fatalf("only %d keywords", len(words))
	}
	return words
}

// TestReserved compares the table of reserved words in package ast with the grammar.
func TestReserved(t *testing.T) {
	for _, word := range keywords(t) {
		_, err := grammar.ParseTerm(":" + word)
		reserved := err != nil
		if quoted := ast.Identifier(word) != word; quoted != reserved {
			t.Errorf("%s: Identifier quotes it is %v, the grammar reserves it is %v", word, quoted, reserved)
		}
		if _, err := grammar.ParseTerm(":" + ast.Identifier(word)); err != nil {
			t.Errorf("%s: %v", ast.Identifier(word), err)
		}
	}
}

// Unreserved keywords are names wherever Cassandra lets them be.
func TestKeywordsAsNames(t *testing.T) {
	accepts := func(pattern, word string) bool {
		t.Helper()
		text := strings.ReplaceAll(pattern, "$", word)
		parsed, err := grammar.Parse(text)
		if err == nil {
			checkParsed(t, text, parsed)
		}
		return err == nil
	}
	everywhere := []string{
		"CREATE TABLE $ ($ int, $ text STATIC, PRIMARY KEY (($, $), $)) WITH CLUSTERING ORDER BY ($ DESC) AND $ = 1",
		"CREATE TABLE $.$ (a int)",
		"SELECT $, $ AS $, a.$, $.b, $['x'], f($) FROM $.$ WHERE $ = 1 AND ($, a) > (1, 2) AND $ IN (1) GROUP BY $ ORDER BY $",
		"INSERT INTO $ ($, $) VALUES (:$, {$: 1})",
		"UPDATE $ SET $ = 1 WHERE $ = 1 IF $ = 1 AND $.$ = 2",
		"UPDATE t SET $ = $ + 1, $ = [1] + $, $['x'] = 1, $.$ = 1 WHERE k = 1",
		"DELETE $, $['x'], $.$ FROM $ WHERE $ CONTAINS 1",
		"CREATE INDEX $ ON $ ($)",
		"CREATE KEYSPACE $ WITH $ = {}",
		"CREATE TYPE $.a ($ int)",
		"ALTER TABLE $ DROP ($, $)",
		"CREATE ROLE $",
		"GRANT $ TO $",
		"USE $",
		"TRUNCATE $",
		"DROP TABLE $.$",
		"SELECT $.f(1) FROM t",
	}
	functions := "SELECT $(1), ks.$(a) FROM t WHERE a = $(1) AND b = ks.$()"
	types := "CREATE TABLE t (a $, b ks.$, c list<$>)"
	notFunctions := map[string]bool{
		"ttl": true, "writetime": true, "maxwritetime": true, "key": true, "cast": true, "json": true, "distinct": true,
	}
	for _, word := range keywords(t) {
		reserved := ast.Identifier(word) != word
		for _, pattern := range everywhere {
			if got := accepts(pattern, word); got == reserved {
				t.Errorf("%s in %q: accepted is %v, reserved is %v", word, pattern, got, reserved)
			}
		}
		if want := !reserved && !notFunctions[word] || word == "token"; accepts(functions, word) != want {
			t.Errorf("%s as a function: want accepted %v", word, want)
		}
		_, err := grammar.ParseType(word)
		native := err == nil && isNative(word)
		if want := !reserved && (!notFunctions[word] || word == "key") && word != "count" && !native; accepts(types, word) != want {
			t.Errorf("%s as a user type: want accepted %v", word, want)
		}
	}
}

func isNative(word string) bool {
	parsed, err := grammar.ParseType(word)
	return err == nil && parsed.Kind == ast.NativeType
}

package cql_test

import (
	"fmt"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// TestConditional asks for conditional statements. Their columns are not told when they are prepared, and are sent with
// each result, though the client asks for none and, in version 5, without an id to keep them by: they depend on what is
// there. The answers are byte for byte those of Cassandra.
func TestConditional(t *testing.T) {
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		c := newHost(t, cql.Options{}).connect(t, v, compression)
		c.keyspace()
		p := c.prepare("UPDATE t SET v = 'x' WHERE k = 1 AND c = 1 IF v = ?")
		if len(p.Result.Columns) != 0 {
			t.Errorf("prepared with columns %v", p.Result.Columns)
		}
		check := func(m frame.Message, want string) {
			t.Helper()
			got := c.ask(m)
			rows, ok := got.(*frame.Rows)
			if !ok {
				t.Fatal(got)
			}
			text := fmt.Sprintf("%d", rows.Count)
			for _, column := range rows.Metadata.Columns {
				text += fmt.Sprintf(" %s.%s.%s %s", column.Keyspace, column.Table, column.Name, column.Type)
			}
			if text = fmt.Sprintf("%s %q", text, rows.Content); text != want || rows.Metadata.NoMetadata || rows.Metadata.NewID != nil {
				t.Errorf("got %s %+v, want %s", text, rows.Metadata, want)
			}
		}
		execute := executeOf(p, nil)
		execute.SkipMetadata = true
		const applied, isTrue, isFalse = " ks.t.[applied] boolean", `\x00\x00\x00\x01\x01`, `\x00\x00\x00\x01\x00`
		check(execute, "1"+applied+` "`+isTrue+`"`)
		for range 2 {
			check(execute, "1"+applied+" ks.t.v text"+` "`+isFalse+`\x00\x00\x00\x01x"`)
		}
		check(queryOf("DELETE FROM ks.t WHERE k = 1 AND c = 2 IF EXISTS"), "1"+applied+` "`+isFalse+`"`)
		batch := &frame.Batch{Consistency: consistency.One, Statements: []frame.BatchStatement{
			{ID: p.ID, Values: []frame.Value{{}}}, {Text: "INSERT INTO ks.t (k, c) VALUES (1, 3)"}}}
		check(batch, "1"+applied+" ks.t.k int ks.t.c int ks.t.v text"+` "`+isFalse+`\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x01x"`)
		batch.Statements[0].Values[0].Bytes = []byte("x")
		check(batch, "1"+applied+` "`+isTrue+`"`)
		check(queryOf("SELECT c AS \"[applied]\" FROM ks.t WHERE k = 1 LIMIT 1"), "1 ks.t.[applied] int"+` "\x00\x00\x00\x04\x00\x00\x00\x01"`)

		serial := queryOf("INSERT INTO ks.t (k, c) VALUES (1, 9) IF NOT EXISTS")
		serial.SerialConsistency = consistency.Quorum
		c.expectError(serial, frame.ErrorInvalid)
		serial.SerialConsistency = consistency.LocalSerial
		check(serial, "1"+applied+` "`+isTrue+`"`)
		batch.SerialConsistency = consistency.One
		c.expectError(batch, frame.ErrorInvalid)
	})
}

package frame

import (
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// TestDecodeErrors checks what is said about messages that are wrong.
func TestDecodeErrors(t *testing.T) {
	check := func(m Message, v Version, body, want string) {
		t.Helper()
		if err := m.Decode([]byte(body), v); err == nil || err.Error() != want {
			t.Errorf("%T %q in %s: %v, want %s", m, body, v, err, want)
		}
	}
	check(&Query{}, V4, "", "Invalid QUERY message: query at byte 0: 4 bytes announced, 0 left")
	check(&Query{}, V4, "\xff\xff\xff\xff", "Invalid QUERY message: query at byte 0: negative length -1")
	check(&Query{}, V4, "\x7f\xff\xff\xffq", "Invalid QUERY message: query at byte 4: 2147483647 bytes announced, 1 left")
	check(&Query{}, V4, "\x00\x00\x00\x01q\x00\x0c\x00", "Invalid QUERY message: consistency at byte 5: Unknown code 12 for a consistency level")
	const q = "\x00\x00\x00\x01q\x00\x01"
	check(&Query{}, V4, q+"\x80\x00\x02ks", "Invalid QUERY message: flags at byte 7: a keyspace in version 4/v4")
	check(&Query{}, V4, q+"\x01\xff\xff\x00\x00\x00\x00", "Invalid QUERY message: values at byte 8: 65535 announced, but only 4 bytes left")
	check(&Query{}, V4, q+"\x01\x00\x01\xff\xff\xff\xfd", "Invalid QUERY message: value at byte 10: invalid length -3")
	check(&Query{}, V4, q+"\x41\x00\x01\x00\x05abcd", "Invalid QUERY message: name of a value at byte 12: 5 bytes announced, 4 left")
	check(&Query{}, V4, q+"\x20\x80\x00\x00\x00\x00\x00\x00\x00",
		"Invalid QUERY message: timestamp at byte 8: Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807] (got -9223372036854775808)")
	check(&Query{}, V4, q+"\x10\x00\x00", "Invalid QUERY message: serial consistency at byte 8: it is ANY")
	check(&Query{}, V5, q+"\x00\x00\x01\x00", "Invalid QUERY message: now in seconds at byte 11: 4 bytes announced, 0 left")
	check(&Execute{}, V5, "\x00\x01x", "Invalid EXECUTE message: result metadata id at byte 3: 2 bytes announced, 0 left")
	check(&Batch{}, V4, "\x03\x00\x00", "Invalid BATCH message: type at byte 0: Invalid batch type 3")
	check(&Batch{}, V4, "\x00\x00\x01\x02\x00\x00\x00\x00",
		"Invalid BATCH message: kind of a statement at byte 3: Invalid query kind in BATCH messages. Must be 0 or 1 but got 2")
	check(&Batch{}, V4, "\x00\xff\xff", "Invalid BATCH message: statements at byte 1: 65535 announced, but only 0 bytes left")
	check(&Batch{}, V4, "\x00\x00\x00\x00\x01\x04\x00\x00\x00\x01", "Invalid BATCH message: flags at byte 6: 0x4 has no meaning in a batch")
	check(&Register{}, V4, "\x00\x02\x00\x01a", "Invalid REGISTER message: events at byte 0: 2 announced, but only 3 bytes left")
	check(&Event{}, V4, "\x00\x01a", `Invalid EVENT message: type at byte 3: unknown type "a"`)
	check(&Event{}, V4, "\x00\x0dSTATUS_CHANGE\x00\x02UP\x05", "Invalid EVENT message: address at byte 19: an address of 5 bytes")
	check(&Event{}, V4, "\x00\x0dSTATUS_CHANGE\x00\x02UP\x04abcd\x00\x01\x00\x00", "Invalid EVENT message: address at byte 24: port 65536")
	check(&SchemaChange{}, V3, "\x00\x00\x00\x05\x00\x07DROPPED\x00\x08FUNCTION\x00\x01k",
		`Invalid RESULT message: target at byte 26: unknown target "FUNCTION"`)
	check(&Void{}, V4, "\x00\x00\x00\x02", "Invalid RESULT message: kind at byte 0: kind Rows, not Void")
	const rows = "\x00\x00\x00\x02\x00\x00\x00\x04"
	check(&Rows{}, V4, rows+"\xff\xff\xff\xff", "Invalid RESULT message: number of columns at byte 8: -1 is negative")
	check(&Rows{}, V4, rows+"\x00\x00\x00\x00\x00\x00\x00\x01", "Invalid RESULT message: number of rows at byte 12: 1 rows without columns")
	check(&Rows{}, V4, rows+"\x00\x00\x00\x01\xff\xff\xff\xff", "Invalid RESULT message: number of rows at byte 12: -1 is negative")
	check(&Rows{}, V4, rows+"\x7f\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
		"Invalid RESULT message: value at byte 20: 2147483647 rows of 2147483647 columns announced, 0 bytes left")
	check(&Rows{}, V4, rows+"\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02x", "Invalid RESULT message: value at byte 16: 2 bytes announced, 1 left")
	check(&Rows{}, V4, "\x00\x00\x00\x02\x00\x00\x00\x00\x7f\xff\xff\xff", "Invalid RESULT message: number of columns at byte 12: 2147483647 announced, but only 0 bytes left")
	check(&Prepared{}, V4, "\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff\xff\xff",
		"Invalid RESULT message: partition key at byte 14: 2147483647 announced, but only 0 bytes left")
	check(&Error{}, V5, "\x00\x00\x13\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff\xff\xff",
		"Invalid ERROR message: number of failures at byte 16: 2147483647 announced, but only 0 bytes left")
	if _, err := KindOf([]byte("\x00\x00\x00\x06")); err == nil || err.Error() != "Invalid RESULT message: kind at byte 0: unknown kind 6" {
		t.Error(err)
	}
	p := Prologue{}
	if _, err := p.Decode(Frame{Header: Header{Version: V3, Flags: FlagCustomPayload}}); err == nil ||
		!strings.HasSuffix(err.Error(), "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4") {
		t.Error(err)
	}
	if _, _, err := DecodeMessage(Frame{Header: Header{Version: V4, Opcode: 4}}); err == nil || err.Error() != "Unknown opcode 4" {
		t.Error(err)
	}
}

// TestValuesByVersion decodes the lengths of values that are not lengths, and what stands behind a message.
func TestValuesByVersion(t *testing.T) {
	check := func(v Version, length string, want Value) {
		t.Helper()
		flags := "\x01"
		if v >= V5 {
			flags = "\x00\x00\x00\x01"
		}
		var q Query
		err := q.Decode([]byte("\x00\x00\x00\x01q\x00\x01"+flags+"\x00\x01"+length+"ignored"), v)
		if err != nil || len(q.Values) != 1 || q.Values[0].Unset != want.Unset || (q.Values[0].Bytes == nil) != (want.Bytes == nil) {
			t.Errorf("%q in %s is %+v, %v", length, v, q.Values, err)
		}
	}
	check(V3, "\xff\xff\xff\xff", Value{})
	check(V3, "\xff\xff\xff\xfe", Value{})
	check(V3, "\xff\xff\xff\x00", Value{})
	check(V4, "\xff\xff\xff\xff", Value{})
	check(V4, "\xff\xff\xff\xfe", Value{Unset: true})
	check(V5, "\xff\xff\xff\xfe", Value{Unset: true})
	check(V5, "\x00\x00\x00\x00", Value{Bytes: []byte{}})
}

// TestEncodeErrors checks that what a version cannot express is not sent.
func TestEncodeErrors(t *testing.T) {
	check := func(m Message, v Version, want string) {
		t.Helper()
		b, err := m.Encode([]byte("before"), v)
		if err == nil || err.Error() != want || string(b) != "before" {
			t.Errorf("%T in %s: %q, %v, want %s", m, v, b, err, want)
		}
	}
	long := strings.Repeat("x", 1<<16)
	check(&Query{Parameters: Parameters{Values: []Value{{Unset: true}}}}, V3, "cannot encode value of QUERY: version 3/v3 does not know unset values")
	check(&Query{Parameters: Parameters{Values: make([]Value, 2), Names: []string{"a"}}}, V4, "cannot encode names of values of QUERY: 1 names for 2 values")
	check(&Query{Parameters: Parameters{Values: make([]Value, 1<<16)}}, V4, "cannot encode values of QUERY: 65536 does not fit into 16 bits")
	check(&Query{Parameters: Parameters{Settings: Settings{Keyspace: "k"}}}, V4, "cannot encode keyspace of QUERY: it came with version 5/v5, this is 4/v4")
	check(&Execute{Parameters: Parameters{Settings: Settings{HasNow: true}}}, V3, "cannot encode now in seconds of EXECUTE: it came with version 5/v5, this is 3/v3")
	check(&Prepare{Keyspace: "k"}, V4, "cannot encode keyspace of PREPARE: it came with version 5/v5, this is 4/v4")
	check(&Execute{ID: []byte(long)}, V4, "cannot encode statement id of EXECUTE: 65536 does not fit into 16 bits")
	check(&Event{Type: "x"}, V4, `cannot encode type of EVENT: unknown type "x"`)
	check(&Event{Type: EventStatusChange}, V4, "cannot encode address of EVENT: no address")
	check(&SchemaChange{Target: "INDEX"}, V4, `cannot encode target of RESULT: unknown target "INDEX"`)
	check(&Rows{Metadata: Metadata{Columns: []Column{{Type: nil}}}}, V4, "cannot encode type of RESULT: no type")
	check(&Rows{Count: -1}, V4, "cannot encode number of rows of RESULT: -1 does not fit into 31 bits")
	check(&Error{Code: ErrorReadFailure, Failures: make([]Failure, 1)}, V5, "cannot encode failed node of ERROR: no address")
	if _, err := AppendFrame(nil, V4, 0, &Prologue{Payload: map[string][]byte{long: nil}}, &Ready{}); err == nil {
		t.Error("a long key was encoded")
	}
}

// TestLeftOut checks what Encode drops in versions that have no place for it.
func TestLeftOut(t *testing.T) {
	rows := Rows{Metadata: Metadata{Columns: []Column{{"ks", "t", "c", cqltype.TypeInt}}, NewID: []byte("id")}}
	body, err := rows.Encode(nil, V4)
	if err == nil {
		err = rows.Decode(body, V4)
	}
	if err != nil || rows.Metadata.NewID != nil {
		t.Errorf("%+v, %v", rows, err)
	}
	rows.Metadata.NoMetadata = true
	if body, err = rows.Encode(nil, V4); err == nil {
		err = rows.Decode(body, V4)
	}
	if err != nil || rows.Metadata.ColumnCount != 1 || len(rows.Metadata.Columns) != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	body, err = (&Error{Code: ErrorReadFailure, Failures: make([]Failure, 3)}).Encode(nil, V4)
	var er Error
	if err == nil {
		err = er.Decode(body, V4)
	}
	if err != nil || er.NumFailures != 3 {
		t.Errorf("%+v, %v", er, err)
	}
}

// TestMemoryIsReused checks that a message that has held much does not keep it.
func TestMemoryIsReused(t *testing.T) {
	execute := func(n int) []byte {
		body, err := (&Execute{Parameters: Parameters{Consistency: consistency.One, Values: make([]Value, n)}}).Encode(nil, V4)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	var x Execute
	for _, n := range []int{10, 3, 5000, 4000} {
		if err := x.Decode(execute(n), V4); err != nil || len(x.Values) != n {
			t.Fatalf("%d values, %v", len(x.Values), err)
		}
	}
	if err := x.Decode(execute(2), V4); err != nil || cap(x.Values) > keep {
		t.Errorf("room for %d values, %v", cap(x.Values), err)
	}
	for _, v := range reuse([]Value{{Unset: true}, {Unset: true}}, 1)[:2] {
		if v.Unset {
			t.Error("an old value is kept")
		}
	}
}

func TestNames(t *testing.T) {
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(OpExecute.String(), "EXECUTE")
	check(Opcode(4).String(), "UNKNOWN(4)")
	check(KindSetKeyspace.String(), "Set_keyspace")
	check(ResultKind(9).String(), "UNKNOWN(9)")
	check(BatchCounter.String(), "COUNTER")
	check(BatchType(9).String(), "UNKNOWN(9)")
	check(ErrorCASWriteUnknown.String(), "CAS_WRITE_UNKNOWN")
	check(ErrorCode(0x99).String(), "UNKNOWN(0x0099)")
	check((&Error{Code: ErrorInvalid, Message: "no"}).Error(), "INVALID: no")
	for o := range Opcode(0x20) {
		m := NewMessage(o)
		if (m != nil) != o.Known() || m != nil && m.Opcode() != o {
			t.Errorf("%s is %T", o, m)
		}
	}
	for k := range ResultKind(8) {
		if m := NewResult(k); (m != nil) != (k >= KindVoid && k <= KindSchemaChange) {
			t.Errorf("%s is %T", k, m)
		}
	}
}

package frame

import (
	"encoding/hex"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// golden is a line of testdata/frames.txt.
type golden struct {
	name    string
	version Version
	frame   []byte
}

func lines(tb testing.TB, file string) []string {
	tb.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
}

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func goldens(tb testing.TB) []golden {
	tb.Helper()
	var all []golden
	for _, line := range lines(tb, "frames.txt") {
		part := strings.Fields(line)
		v, _ := strconv.Atoi(part[1])
		all = append(all, golden{part[0], Version(v), unhex(tb, part[2])})
	}
	return all
}

// read returns the only frame that b is.
func read(tb testing.TB, b []byte) Frame {
	tb.Helper()
	r := NewServerReader(DefaultMaxLength)
	if b[0]&directionBit != 0 {
		r = NewClientReader(DefaultMaxLength)
	}
	r.Feed(b)
	f, err := r.Next()
	if err != nil {
		tb.Fatalf("%x: %v", b, err)
	}
	if r.Buffered() != 0 {
		tb.Fatalf("%x: %d bytes left", b, r.Buffered())
	}
	return f
}

// TestFramesOfCassandra decodes what Cassandra has encoded, and encodes it again to the same bytes.
func TestFramesOfCassandra(t *testing.T) {
	exceptions := map[string]string{
		"ROWS_skip":              "Cassandra sets the flag of a global table although no table follows",
		"SCHEMA_CHANGE_function": "Cassandra appends an empty name for version 3",
	}
	for _, g := range goldens(t) {
		f := read(t, g.frame)
		if f.Version != g.version || f.Stream != 258 {
			t.Errorf("%s %d: header %+v", g.name, g.version, f.Header)
		}
		prologue, message, err := DecodeMessage(f)
		if err != nil {
			t.Errorf("%s %d: %v", g.name, g.version, err)
			continue
		}
		again, err := AppendFrame(nil, f.Version, f.Stream, &prologue, message)
		if err != nil {
			t.Errorf("%s %d: %v", g.name, g.version, err)
			continue
		}
		if g.name == "SCHEMA_CHANGE_function" && g.version != V3 || exceptions[g.name] == "" {
			if string(again) != string(g.frame) {
				t.Errorf("%s %d:\n  is %x\nwant %x", g.name, g.version, again, g.frame)
			}
			continue
		}
		if _, second, err := DecodeMessage(read(t, again)); err != nil || !reflect.DeepEqual(second, message) {
			t.Errorf("%s %d: %+v became %+v, %v", g.name, g.version, message, second, err)
		}
	}
}

// id returns 16 bytes that count up, as Golden.java makes them.
func id(first byte) []byte {
	b := make([]byte, 16)
	for i := range b {
		b[i] = first + byte(i)
	}
	return b
}

// TestMeaningOfFrames compares what is decoded with what Golden.java says it has encoded.
func TestMeaningOfFrames(t *testing.T) {
	decoded := make(map[string]Message)
	for _, g := range goldens(t) {
		_, m, err := DecodeMessage(read(t, g.frame))
		if err != nil {
			t.Fatal(err)
		}
		decoded[g.name+" "+strconv.Itoa(int(g.version))] = m
	}
	check := func(name string, want Message) {
		t.Helper()
		if got := decoded[name]; !reflect.DeepEqual(tidy(got), tidy(want)) {
			t.Errorf("%s:\n  is %+v\nwant %+v", name, got, want)
		}
	}
	values := []Value{{Bytes: []byte("abc")}, {}, {Bytes: []byte{}}}
	settings := Settings{SerialConsistency: consistency.LocalSerial, HasTimestamp: true, Timestamp: 1234567890123456}
	full := Parameters{Consistency: consistency.LocalQuorum, Values: values, SkipMetadata: true, PageSize: 100,
		PagingState: []byte("\x02pk\x00\x0a\x14"), Settings: settings}
	check("QUERY_full 4", &Query{Text: "SELECT 1", Parameters: full})
	full.Keyspace, full.HasNow, full.Now = "ks", true, 1700000000
	check("QUERY_full 5", &Query{Text: "SELECT 1", Parameters: full})
	check("QUERY 3", &Query{Text: "SELECT é", Parameters: Parameters{Consistency: consistency.One}})
	execute := Execute{ID: id(1), ResultMetadataID: id(0x80), Parameters: Parameters{Consistency: consistency.LocalQuorum,
		Values: values, SkipMetadata: true, PageSize: 5000, Settings: settings}}
	check("EXECUTE 5", &execute)
	batch := Batch{Type: BatchUnlogged, Consistency: consistency.LocalQuorum, Settings: settings, Statements: []BatchStatement{
		{Text: "INSERT", Values: []Value{}}, {ID: id(1), Values: []Value{{Bytes: []byte("v")}, {}}}}}
	check("BATCH 3", &batch)
	check("PREPARE_keyspace 5", &Prepare{Text: "SELECT ?", Keyspace: "ks"})
	check("STARTUP 4", &Startup{Options: map[string]string{"CQL_VERSION": "3.0.0", "COMPRESSION": "lz4"}})
	check("REGISTER 4", &Register{Events: []string{EventTopologyChange, EventStatusChange, EventSchemaChange}})
	check("SUPPORTED 3", &Supported{Options: map[string][]string{"CQL_VERSION": {"3.4.7"}, "COMPRESSION": {"snappy", "lz4"}}})
	check("AUTHENTICATE 4", &Authenticate{Authenticator: PasswordAuthenticator})
	check("AUTH_RESPONSE 4", &AuthResponse{Token: []byte("\x00cassandra\x00secret")})
	check("AUTH_SUCCESS 4", &AuthSuccess{})
	check("AUTH_SUCCESS_empty 4", &AuthSuccess{Token: []byte{}})
	check("SCHEMA_CHANGE_function 5", &SchemaChange{Change: Dropped, Target: TargetFunction, Keyspace: "ks", Name: "f", Arguments: []string{"int", "text"}})
	check("SCHEMA_CHANGE_function 3", &SchemaChange{Change: Updated, Target: TargetKeyspace, Keyspace: "ks"})
	check("EVENT_topology 4", &Event{Type: EventTopologyChange, Node: NodeChange{NewNode, netip.MustParseAddrPort("127.0.0.1:9042")}})
	check("EVENT_status 4", &Event{Type: EventStatusChange, Node: NodeChange{NodeDown, netip.MustParseAddrPort("[2001:db8::1]:9042")}})
	check("EVENT_schema 4", &Event{Type: EventSchemaChange, Schema: SchemaChange{Change: Created, Target: TargetType, Keyspace: "ks", Name: "u"}})
	t.Run("results", func(t *testing.T) { meaningOfResults(t, decoded) })
	t.Run("errors", func(t *testing.T) { meaningOfErrors(t, decoded) })
}

func meaningOfResults(t *testing.T, decoded map[string]Message) {
	check := func(name string, want Message) {
		t.Helper()
		if got := decoded[name]; !reflect.DeepEqual(tidy(got), tidy(want)) {
			t.Errorf("%s:\n  is %+v\nwant %+v", name, got, want)
		}
	}
	same := []Column{{"ks", "t", "k", cqltype.TypeInt}, {"ks", "t", "v", cqltype.TypeText}}
	mixed := []Column{same[0], {"ks", "u", "v", cqltype.TypeText}}
	rows := Rows{Metadata: Metadata{Columns: same, ColumnCount: 2}}
	rows.AppendRow([]byte{0, 0, 0, 1}, []byte("x"))
	rows.AppendRow([]byte{0, 0, 0, 2}, nil)
	check("ROWS 5", &rows)
	var got []string
	for row := range decoded["ROWS 5"].(*Rows).Each() {
		got = append(got, hex.EncodeToString(row[0])+":"+string(row[1]))
		if len(got) == 2 && row[1] != nil {
			t.Error("null is not nil")
		}
	}
	if strings.Join(got, " ") != "00000001:x 00000002:" {
		t.Errorf("rows are %q", got)
	}
	check("ROWS_mixed 3", &Rows{Metadata: Metadata{Columns: mixed, ColumnCount: 2}})
	skip := Rows{Metadata: Metadata{NoMetadata: true, ColumnCount: 2}}
	skip.AppendRow([]byte{0, 0, 0, 1}, []byte("x"))
	check("ROWS_skip 4", &skip)
	check("ROWS_changed 5", &Rows{Metadata: Metadata{Columns: same, ColumnCount: 2, NewID: id(0x40)}})
	if paged := decoded["ROWS_paged 4"].(*Rows); len(paged.Metadata.PagingState) != 6 {
		t.Errorf("paging state %x", paged.Metadata.PagingState)
	}
	prepared := Prepared{ID: id(1), ResultMetadataID: id(0x80), Markers: same, PartitionKey: []uint16{1, 0},
		Result: Metadata{Columns: mixed, ColumnCount: 2}}
	check("PREPARED 5", &prepared)
	prepared.ResultMetadataID = nil
	check("PREPARED 4", &prepared)
	prepared.PartitionKey = nil
	check("PREPARED 3", &prepared)
	check("PREPARED_empty 4", &Prepared{ID: id(1), Result: Metadata{NoMetadata: true}})
	check("SET_KEYSPACE 4", &SetKeyspace{Keyspace: "ks"})
}

func meaningOfErrors(t *testing.T, decoded map[string]Message) {
	check := func(name string, want *Error) {
		t.Helper()
		got := *decoded["ERROR_"+name].(*Error)
		if want.Message == "" {
			got.Message = ""
		}
		if !reflect.DeepEqual(tidy(&got), tidy(want)) {
			t.Errorf("%s:\n  is %+v\nwant %+v", name, got, *want)
		}
	}
	failures := []Failure{{netip.MustParseAddr("127.0.0.1"), FailureTimeout}, {netip.MustParseAddr("2001:db8::1"), FailureTooManyTombstones}}
	check("SERVER 4", &Error{Code: ErrorServer, Message: "boom"})
	check("CREDENTIALS 4", &Error{Code: ErrorBadCredentials, Message: "no"})
	check("UNAVAILABLE 3", &Error{Code: ErrorUnavailable, Consistency: consistency.Quorum, Required: 2, Alive: 1})
	check("WRITE_TIMEOUT 5", &Error{Code: ErrorWriteTimeout, Consistency: consistency.One, BlockFor: 1, WriteType: WriteSimple})
	check("WRITE_TIMEOUT_CAS 5", &Error{Code: ErrorWriteTimeout, Consistency: consistency.Serial, Received: 1, BlockFor: 2, WriteType: WriteCAS, Contentions: 7})
	check("WRITE_TIMEOUT_CAS 4", &Error{Code: ErrorWriteTimeout, Consistency: consistency.Serial, Received: 1, BlockFor: 2, WriteType: WriteCAS})
	check("READ_TIMEOUT 4", &Error{Code: ErrorReadTimeout, Consistency: consistency.One, BlockFor: 1, DataPresent: true})
	check("READ_FAILURE 3", &Error{Code: ErrorReadTimeout, Consistency: consistency.All, Received: 1, BlockFor: 3, DataPresent: true})
	check("READ_FAILURE 4", &Error{Code: ErrorReadFailure, Consistency: consistency.All, Received: 1, BlockFor: 3, DataPresent: true, NumFailures: 2})
	check("READ_FAILURE 5", &Error{Code: ErrorReadFailure, Consistency: consistency.All, Received: 1, BlockFor: 3, DataPresent: true, NumFailures: 2, Failures: failures})
	check("WRITE_FAILURE 5", &Error{Code: ErrorWriteFailure, Consistency: consistency.All, Received: 1, BlockFor: 3, WriteType: WriteBatchLog, NumFailures: 2, Failures: failures})
	check("FUNCTION 4", &Error{Code: ErrorFunctionFailure, Message: "detail", Keyspace: "ks", Name: "f", Arguments: []string{"int", "text"}})
	check("FUNCTION 3", &Error{Code: ErrorInvalid, Message: "ERROR FUNCTION_FAILURE: detail"})
	check("CDC 3", &Error{Code: ErrorInvalid, Message: "ERROR CDC_WRITE_FAILURE: full"})
	check("CAS_UNKNOWN 5", &Error{Code: ErrorCASWriteUnknown, Consistency: consistency.Serial, Received: 1, BlockFor: 2})
	check("CAS_UNKNOWN 4", &Error{Code: ErrorWriteTimeout, Consistency: consistency.Serial, Received: 1, BlockFor: 2, WriteType: WriteCAS})
	check("EXISTS_keyspace 4", &Error{Code: ErrorAlreadyExists, Keyspace: "ks"})
	check("EXISTS_table 4", &Error{Code: ErrorAlreadyExists, Keyspace: "ks", Name: "t"})
	check("UNPREPARED 4", &Error{Code: ErrorUnprepared, ID: id(1)})
}

// TestDowngrades checks that an error of version 5 becomes, in older versions, what Cassandra makes of it. Only the message
// is the server's own.
func TestDowngrades(t *testing.T) {
	newest := make(map[string]*Error)
	for _, g := range goldens(t) {
		if strings.HasPrefix(g.name, "ERROR_") && g.version == V5 {
			_, m, _ := DecodeMessage(read(t, g.frame))
			newest[g.name] = m.(*Error)
		}
	}
	for _, g := range goldens(t) {
		if newest[g.name] == nil || g.name == "ERROR_prologue" {
			continue
		}
		_, want, _ := DecodeMessage(read(t, g.frame))
		body, err := newest[g.name].Encode(nil, g.version)
		if err != nil {
			t.Fatal(err)
		}
		var got Error
		if err := got.Decode(body, g.version); err != nil {
			t.Fatal(err)
		}
		if got.Code != ErrorInvalid {
			got.Message = want.(*Error).Message
		}
		if !reflect.DeepEqual(tidy(&got), tidy(want)) {
			t.Errorf("%s %d: %+v, want %+v", g.name, g.version, &got, want)
		}
	}
}

// TestPrologue decodes the parts in front of a message in the order in which Cassandra writes them.
func TestPrologue(t *testing.T) {
	for _, g := range goldens(t) {
		if g.name != "ERROR_prologue" {
			continue
		}
		p, m, err := DecodeMessage(read(t, g.frame))
		want := Prologue{Tracing: true, Warnings: []string{"w1", "w2"}, Payload: map[string][]byte{"k": []byte("v"), "n": nil}}
		want.TracingID, _ = cqltype.ParseUUID("00112233-4455-1677-8899-aabbccddeeff")
		if err != nil || !reflect.DeepEqual(p, want) || m.(*Error).Message != "i" {
			t.Errorf("%+v, %+v, %v", p, m, err)
		}
		again, err := AppendFrame(nil, V3, 1, &p, m) // version 3 has room for the trace only
		if err != nil || Flags(again[1]) != FlagTracing || len(again) != HeaderSize+16+7 {
			t.Errorf("in version 3: %x, %v", again, err)
		}
	}
}

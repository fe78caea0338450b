package frame

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"pgregory.net/rapid"
)

// TestMessagesRoundTrip checks that every message that a version can express is decoded as it was encoded, into a fresh
// message and over an old one.
func TestMessagesRoundTrip(t *testing.T) {
	old := make(map[reflect.Type]Message)
	rapid.Check(t, func(t *rapid.T) {
		v := Version(rapid.IntRange(3, 5).Draw(t, "version"))
		m := drawMessage(t, v)
		p := drawPrologue(t, v, m.Opcode().IsResponse())
		b, err := AppendFrame([]byte("before"), v, 99, &p, m)
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		r := NewServerReader(MaxLength)
		if m.Opcode().IsResponse() {
			r = NewClientReader(MaxLength)
		}
		r.Feed(b[len("before"):])
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		gotPrologue, got, err := DecodeMessage(f)
		if err != nil {
			t.Fatalf("%T %+v in %s: %v", m, m, v, err)
		}
		if !reflect.DeepEqual(gotPrologue, p) {
			t.Fatalf("prologue %+v became %+v", p, gotPrologue)
		}
		if !reflect.DeepEqual(tidy(got), tidy(m)) {
			t.Fatalf("%s %T:\n   %+v\nis %+v", v, m, m, got)
		}
		used := old[reflect.TypeOf(m)]
		if used == nil {
			used = got
			old[reflect.TypeOf(m)] = got
		}
		var q Prologue
		body, err := q.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := used.Decode(body, v); err != nil || !reflect.DeepEqual(tidy(used), tidy(m)) {
			t.Fatalf("%s %T over an old one:\n   %+v\nis %+v, %v", v, m, m, used, err)
		}
	})
}

func drawString(t *rapid.T) string { return rapid.StringN(0, 8, 20).Draw(t, "string") }

func drawBytes(t *rapid.T) []byte {
	if b := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes"); b != nil {
		return b
	}
	return []byte{}
}

func drawNull(t *rapid.T) []byte {
	if rapid.Bool().Draw(t, "null") {
		return nil
	}
	return drawBytes(t)
}

func drawList[T any](t *rapid.T, draw func(*rapid.T) T) []T {
	var list []T
	for range rapid.IntRange(0, 4).Draw(t, "length") {
		list = append(list, draw(t))
	}
	return list
}

func drawLevel(t *rapid.T) consistency.Level {
	return consistency.Level(rapid.IntRange(0, int(consistency.NodeLocal)).Draw(t, "level"))
}

func drawPrologue(t *rapid.T, v Version, response bool) Prologue {
	var p Prologue
	if p.Tracing = rapid.Bool().Draw(t, "tracing"); p.Tracing && response {
		copy(p.TracingID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace"))
	}
	if v < V4 {
		return p
	}
	if response {
		p.Warnings = drawList(t, drawString)
	}
	for range rapid.IntRange(0, 2).Draw(t, "payload") {
		if p.Payload == nil {
			p.Payload = make(map[string][]byte)
		}
		p.Payload[drawString(t)] = drawNull(t)
	}
	return p
}

func drawValue(t *rapid.T, v Version) Value {
	if v >= V4 && rapid.Bool().Draw(t, "unset") {
		return Value{Unset: true}
	}
	return Value{Bytes: drawNull(t)}
}

func drawSettings(t *rapid.T, v Version) Settings {
	s := Settings{SerialConsistency: drawLevel(t)}
	if s.HasTimestamp = rapid.Bool().Draw(t, "timestamp"); s.HasTimestamp {
		s.Timestamp = rapid.Int64Min(-1<<63+1).Draw(t, "timestamp")
	}
	if v >= V5 {
		s.Keyspace = drawString(t)
		if s.HasNow = rapid.Bool().Draw(t, "now"); s.HasNow {
			s.Now = rapid.Uint32().Draw(t, "now")
		}
	}
	return s
}

func drawParameters(t *rapid.T, v Version) Parameters {
	p := Parameters{Consistency: drawLevel(t), SkipMetadata: rapid.Bool().Draw(t, "skip"), PageSize: rapid.Int32().Draw(t, "page"),
		PagingState: drawNull(t), Settings: drawSettings(t, v)}
	p.Values = drawList(t, func(t *rapid.T) Value { return drawValue(t, v) })
	if rapid.Bool().Draw(t, "names") {
		for range p.Values {
			p.Names = append(p.Names, drawString(t))
		}
	}
	return p
}

func drawColumns(t *rapid.T) []Column {
	tables := rapid.SampledFrom([]string{"t", "u"})
	if rapid.Bool().Draw(t, "one table") {
		tables = rapid.Just("t")
	}
	return drawList(t, func(t *rapid.T) Column {
		return Column{Keyspace: "ks", Table: tables.Draw(t, "table"), Name: drawString(t), Type: onWire(drawType(t, 2))}
	})
}

func drawMetadata(t *rapid.T, v Version) Metadata {
	m := Metadata{NoMetadata: rapid.Bool().Draw(t, "no metadata"), PagingState: drawNull(t)}
	if v >= V5 {
		m.NewID = drawNull(t)
	}
	if m.NoMetadata {
		m.ColumnCount = rapid.IntRange(0, 5).Draw(t, "columns")
	} else {
		m.Columns = drawColumns(t)
		m.ColumnCount = len(m.Columns)
	}
	return m
}

func drawSchemaChange(t *rapid.T, v Version) SchemaChange {
	targets := []string{TargetKeyspace, TargetTable, TargetType, TargetFunction, TargetAggregate}
	if v < V4 {
		targets = targets[:3]
	}
	s := SchemaChange{Change: drawString(t), Target: rapid.SampledFrom(targets).Draw(t, "target"), Keyspace: drawString(t)}
	if s.Target != TargetKeyspace {
		s.Name = drawString(t)
	}
	if s.hasArguments() {
		s.Arguments = drawList(t, drawString)
	}
	return s
}

func drawAddr(t *rapid.T) netip.Addr {
	size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
	a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
	return a
}

func drawError(t *rapid.T, v Version) *Error {
	codes := []ErrorCode{ErrorServer, ErrorProtocol, ErrorUnavailable, ErrorWriteTimeout, ErrorReadTimeout, ErrorAlreadyExists,
		ErrorUnprepared, 0x7777}
	if v >= V4 {
		codes = append(codes, ErrorReadFailure, ErrorFunctionFailure, ErrorWriteFailure, ErrorCDCWriteFailure)
	}
	if v >= V5 {
		codes = append(codes, ErrorCASWriteUnknown)
	}
	er := &Error{Code: rapid.SampledFrom(codes).Draw(t, "code"), Message: drawString(t)}
	switch number := rapid.Int32(); er.Code {
	case ErrorUnavailable:
		er.Consistency, er.Required, er.Alive = drawLevel(t), number.Draw(t, "required"), number.Draw(t, "alive")
	case ErrorWriteTimeout, ErrorReadTimeout, ErrorReadFailure, ErrorWriteFailure, ErrorCASWriteUnknown:
		er.Consistency, er.BlockFor, er.Received = drawLevel(t), number.Draw(t, "block for"), number.Draw(t, "received")
		if er.Code == ErrorWriteTimeout || er.Code == ErrorWriteFailure {
			er.WriteType = rapid.SampledFrom([]string{WriteSimple, WriteCAS}).Draw(t, "write type")
		}
		if er.Code == ErrorWriteTimeout && er.WriteType == WriteCAS && v >= V5 {
			er.Contentions = rapid.Uint16().Draw(t, "contentions")
		}
		if er.Code == ErrorReadTimeout || er.Code == ErrorReadFailure {
			er.DataPresent = rapid.Bool().Draw(t, "data present")
		}
		if er.Code == ErrorReadFailure || er.Code == ErrorWriteFailure {
			er.NumFailures = number.Draw(t, "failures")
		}
		if (er.Code == ErrorReadFailure || er.Code == ErrorWriteFailure) && v >= V5 {
			er.Failures = drawList(t, func(t *rapid.T) Failure { return Failure{drawAddr(t), FailureReason(rapid.Uint16().Draw(t, "reason"))} })
			er.NumFailures = int32(len(er.Failures))
		}
	case ErrorFunctionFailure:
		er.Keyspace, er.Name, er.Arguments = drawString(t), drawString(t), drawList(t, drawString)
	case ErrorAlreadyExists:
		er.Keyspace, er.Name = drawString(t), drawString(t)
	case ErrorUnprepared:
		er.ID = drawBytes(t)
	}
	return er
}

func drawMessage(t *rapid.T, v Version) Message {
	switch rapid.IntRange(0, 20).Draw(t, "message") {
	case 0:
		return &Options{}
	case 1:
		return &Ready{}
	case 2:
		return &Startup{Options: map[string]string{"CQL_VERSION": drawString(t), "COMPRESSION": drawString(t)}}
	case 3:
		return &Supported{Options: map[string][]string{drawString(t): drawList(t, drawString), "x": {"y"}}}
	case 4:
		return &Authenticate{drawString(t)}
	case 5:
		return &AuthResponse{drawNull(t)}
	case 6:
		return &AuthChallenge{drawNull(t)}
	case 7:
		return &AuthSuccess{drawNull(t)}
	case 8:
		return &Register{drawList(t, drawString)}
	case 9:
		return &Event{Type: EventStatusChange, Node: NodeChange{drawString(t), netip.AddrPortFrom(drawAddr(t), rapid.Uint16().Draw(t, "port"))}}
	case 10:
		return &Event{Type: EventSchemaChange, Schema: drawSchemaChange(t, v)}
	case 11:
		return &Void{}
	case 12:
		return &SetKeyspace{drawString(t)}
	case 13:
		s := drawSchemaChange(t, v)
		return &s
	case 14:
		return &Query{drawString(t), drawParameters(t, v)}
	case 15:
		p := &Prepare{Text: drawString(t)}
		if v >= V5 {
			p.Keyspace = drawString(t)
		}
		return p
	case 16:
		x := &Execute{ID: drawBytes(t), Parameters: drawParameters(t, v)}
		if v >= V5 {
			x.ResultMetadataID = drawBytes(t)
		}
		return x
	case 17:
		return drawBatch(t, v)
	case 18:
		return drawRows(t, v)
	case 19:
		return drawPrepared(t, v)
	default:
		return drawError(t, v)
	}
}

func drawBatch(t *rapid.T, v Version) *Batch {
	b := &Batch{Type: BatchType(rapid.IntRange(0, 2).Draw(t, "type")), Consistency: drawLevel(t), Settings: drawSettings(t, v)}
	b.Statements = drawList(t, func(t *rapid.T) BatchStatement {
		s := BatchStatement{ID: drawNull(t), Values: drawList(t, func(t *rapid.T) Value { return drawValue(t, v) })}
		if s.ID == nil {
			s.Text = drawString(t)
		}
		return s
	})
	return b
}

func drawRows(t *rapid.T, v Version) *Rows {
	r := &Rows{Metadata: drawMetadata(t, v)}
	if r.Metadata.ColumnCount == 0 {
		return r
	}
	for range rapid.IntRange(0, 3).Draw(t, "rows") {
		row := make([][]byte, r.Metadata.ColumnCount)
		for i := range row {
			row[i] = drawNull(t)
		}
		r.AppendRow(row...)
	}
	return r
}

func drawPrepared(t *rapid.T, v Version) *Prepared {
	p := &Prepared{ID: drawBytes(t), Markers: drawColumns(t), Result: drawMetadata(t, v)}
	if v >= V4 {
		p.PartitionKey = drawList(t, func(t *rapid.T) uint16 { return rapid.Uint16().Draw(t, "index") })
	}
	if v >= V5 {
		p.ResultMetadataID = drawBytes(t)
	}
	return p
}

// TestColumnsShareStrings checks that a result of many columns of one table does not repeat the table's name in memory.
func TestColumnsShareStrings(t *testing.T) {
	m := Metadata{Columns: make([]Column, 50)}
	for i := range m.Columns {
		m.Columns[i] = Column{"keyspace", "table", "c", cqltype.TypeInt}
	}
	m.Columns[7].Table = "other" // so that every column says its table
	body, err := (&Rows{Metadata: m}).Encode(nil, V5)
	if err != nil {
		t.Fatal(err)
	}
	var r Rows
	allocs := testing.AllocsPerRun(100, func() {
		if err := r.Decode(body, V5); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 4 { // the keyspace, and the table each time it changes; "c" needs none
		t.Errorf("%v allocations", allocs)
	}
}

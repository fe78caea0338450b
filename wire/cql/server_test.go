package cql_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// forms are all versions with all their compressions.
func forms(t *testing.T, run func(t *testing.T, v frame.Version, c frame.Compression)) {
	for _, v := range []frame.Version{frame.V3, frame.V4, frame.V5} {
		for _, c := range []frame.Compression{frame.NoCompression, frame.LZ4, frame.Snappy} {
			if v == frame.V5 && c == frame.Snappy {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", v, c), func(t *testing.T) { run(t, v, c) })
		}
	}
}

func TestConversation(t *testing.T) {
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		c := newHost(t, cql.Options{}).connect(t, v, compression)
		supported := c.ask(&frame.Options{}).(*frame.Supported)
		if got := supported.Options[frame.OptionProtocolVersions]; len(got) != 3 || len(supported.Options[frame.OptionCompression]) != 2 {
			t.Errorf("SUPPORTED %v", supported.Options)
		}
		c.keyspace()
		insert := c.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
		if v >= frame.V4 && (len(insert.PartitionKey) != 1 || insert.PartitionKey[0] != 0) || len(insert.Markers) != 3 {
			t.Errorf("prepared %+v", insert)
		}
		text := strings.Repeat("hello ", 100)
		for i := range 25 {
			if m := c.ask(executeOf(insert, bigEndian(1), bigEndian(i), []byte(text))); m.Opcode() != frame.OpResult {
				t.Fatal(m)
			}
		}
		selected := c.prepare("SELECT c, v FROM t WHERE k = ?")
		x := executeOf(selected, bigEndian(1))
		x.PageSize, x.SkipMetadata = 10, true
		rows, pages := 0, 0
		for {
			got := c.ask(x).(*frame.Rows)
			if len(got.Metadata.Columns) != 0 {
				t.Error("columns were sent all the same")
			}
			got.Metadata.ColumnCount = 2
			for row := range got.Each() {
				if string(row[1]) != text {
					t.Fatalf("row %d is %q", rows, row)
				}
				rows++
			}
			pages++
			if x.PagingState = got.Metadata.PagingState; x.PagingState == nil {
				break
			}
		}
		if rows != 25 || pages != 3 {
			t.Errorf("%d rows on %d pages", rows, pages)
		}
	})
}

func TestHandshakeRefuses(t *testing.T) {
	h := newHost(t, cql.Options{})
	refused := func(v frame.Version, m frame.Message, message string) {
		t.Helper()
		c := h.dial(t, v)
		if e := c.expectError(m, frame.ErrorProtocol); !strings.Contains(e.Message, message) {
			t.Errorf("%q", e.Message)
		}
		c.expectClosed()
	}
	refused(frame.V4, queryOf("SELECT"), "Unexpected message QUERY, expecting STARTUP or OPTIONS")
	refused(frame.V4, &frame.Startup{}, "Missing value CQL_VERSION")
	refused(frame.V4, &frame.Startup{Options: map[string]string{"CQL_VERSION": "2.0.0"}}, "CQL version 2.0.0 is not supported")
	refused(frame.V4, &frame.Startup{Options: map[string]string{"CQL_VERSION": "3.0.0", "COMPRESSION": "zstd"}}, "zstd")
	refused(frame.V5, &frame.Startup{Options: map[string]string{"CQL_VERSION": "3.0.0", "COMPRESSION": "snappy"}}, "")

	c := h.connect(t, frame.V4, frame.NoCompression)
	c.expectError(&frame.Startup{Options: map[string]string{"CQL_VERSION": "3.0.0"}}, frame.ErrorProtocol)
	c.expectError(&frame.Register{Events: []string{"WEATHER"}}, frame.ErrorProtocol)
	c.expectError(&frame.AuthResponse{}, frame.ErrorProtocol)
	c.ask(&frame.Options{}) // the connection lives on
}

// door lets in who knows the word, which it asks for twice.
type door struct{}

func (door) Name() string                            { return frame.PasswordAuthenticator }
func (door) Begin(client netip.Addr) cql.Negotiation { return &knock{} }

type knock struct{ count int }

func (k *knock) Respond(_ context.Context, token []byte) (cql.Step, error) {
	k.count++
	switch {
	case string(token) != "sesame":
		return cql.Step{}, &cql.CredentialsError{Message: "Provided username and/or password are incorrect"}
	case k.count == 1:
		return cql.Step{Token: []byte("again")}, nil
	}
	return cql.Step{Token: []byte("welcome"), Done: true, Role: "ali"}, nil
}

func TestAuthentication(t *testing.T) {
	h := newHost(t, cql.Options{Authenticator: door{}})
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		begin := func() *client {
			c := h.dial(t, v)
			c.startup(compression)
			if a, ok := c.receive().message.(*frame.Authenticate); !ok || a.Authenticator != frame.PasswordAuthenticator {
				t.Fatal("STARTUP was not answered by AUTHENTICATE")
			}
			c.writer.Negotiate(v, compression)
			return c
		}
		c := begin()
		if _, ok := c.ask(&frame.AuthResponse{Token: []byte("sesame")}).(*frame.AuthChallenge); !ok {
			t.Fatal("no AUTH_CHALLENGE")
		}
		if _, ok := c.ask(&frame.AuthResponse{Token: []byte("sesame")}).(*frame.AuthSuccess); !ok {
			t.Fatal("no AUTH_SUCCESS")
		}
		c.expectError(queryOf("SELECT * FROM nowhere.t"), frame.ErrorInvalid)

		c = begin()
		c.expectError(&frame.AuthResponse{Token: []byte("rice")}, frame.ErrorBadCredentials)
		c.expectClosed()
		c = begin()
		c.expectError(queryOf("SELECT"), frame.ErrorProtocol)
		c.expectClosed()
	})
}

func TestErrors(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V5, frame.NoCompression)
	c.keyspace()
	c.expectError(queryOf("SELEC"), frame.ErrorSyntax)
	c.expectError(queryOf("SELECT * FROM t WHERE x = 1"), frame.ErrorInvalid)
	e := c.expectError(queryOf("CREATE TABLE t (k int PRIMARY KEY)"), frame.ErrorAlreadyExists)
	if e.Keyspace != "ks" || e.Name != "t" {
		t.Errorf("%+v", e)
	}
	c.query("CREATE KEYSPACE three WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}")
	c.query("CREATE TABLE three.t (k int PRIMARY KEY)")
	quorum := queryOf("INSERT INTO three.t (k) VALUES (1)")
	quorum.Consistency = consistency.Quorum
	if e = c.expectError(quorum, frame.ErrorUnavailable); e.Consistency != consistency.Quorum || e.Required != 2 || e.Alive != 1 {
		t.Errorf("%+v", e)
	}
	id := []byte("0123456789abcdef")
	if e = c.expectError(&frame.Execute{ID: id}, frame.ErrorUnprepared); string(e.ID) != string(id) {
		t.Errorf("%+v", e)
	}
	e = c.expectError(&frame.Batch{Statements: []frame.BatchStatement{{ID: id}}, Consistency: consistency.One}, frame.ErrorUnprepared)
	if string(e.ID) != string(id) {
		t.Errorf("%+v", e)
	}
	c.expectError(&frame.Batch{Type: frame.BatchCounter, Consistency: consistency.One}, frame.ErrorInvalid)
	p := c.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
	c.expectError(executeOf(p, bigEndian(1)), frame.ErrorInvalid)
	c.expectError(executeOf(p, []byte("too long for an int"), bigEndian(1), nil), frame.ErrorInvalid)
}

func TestPrepared(t *testing.T) {
	h := newHost(t, cql.Options{PreparedCache: 64 << 10})
	c := h.connect(t, frame.V5, frame.NoCompression)
	c.keyspace()
	c.query("INSERT INTO t (k, c, v) VALUES (1, 2, 'x')")
	first := c.prepare("SELECT * FROM t")
	if again := h.connect(t, frame.V5, frame.LZ4); string(again.prepareIn("ks", "SELECT * FROM t").ID) != string(first.ID) {
		t.Error("the same statement has another id on another connection")
	}
	x := executeOf(first)
	x.SkipMetadata = true
	if m := c.ask(x).(*frame.Rows).Metadata; m.NewID != nil || !m.NoMetadata {
		t.Errorf("unchanged: %+v", m)
	}
	c.query("ALTER TABLE t ADD w int")
	m := c.ask(x).(*frame.Rows).Metadata
	if m.NewID == nil || len(m.Columns) != 4 {
		t.Fatalf("METADATA_CHANGED is missing: %+v", m)
	}
	x.ResultMetadataID = m.NewID
	if m = c.ask(x).(*frame.Rows).Metadata; m.NewID != nil || !m.NoMetadata {
		t.Errorf("unchanged again: %+v", m)
	}
	for i := range 40 { // more than the cache holds
		c.prepare(fmt.Sprintf("SELECT * FROM t WHERE k = %d", i))
	}
	if e := c.expectError(x, frame.ErrorUnprepared); string(e.ID) != string(first.ID) {
		t.Errorf("%+v", e)
	}
	c.prepare("SELECT * FROM t")
	c.ask(x)
	c.expectError(&frame.Prepare{Text: "SELECT '" + strings.Repeat("x", 10<<10) + "' FROM t"}, frame.ErrorInvalid)
}

func (c *client) prepareIn(keyspace, text string) *frame.Prepared {
	c.t.Helper()
	p, ok := c.ask(&frame.Prepare{Text: text, Keyspace: keyspace}).(*frame.Prepared)
	if !ok {
		c.t.Fatal("not prepared")
	}
	return p
}

func TestValues(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V5, frame.NoCompression)
	c.keyspace()
	insert := c.prepare("INSERT INTO t (k, c, v) VALUES (:k, :c, :v)")
	x := executeOf(insert, []byte("named"), bigEndian(1), bigEndian(2))
	x.Names = []string{"v", "k", "c"}
	x.HasTimestamp, x.Timestamp = true, 1000
	c.ask(x)
	x = executeOf(insert, bigEndian(1), bigEndian(2), nil)
	x.Values[2] = frame.Value{Unset: true}
	c.ask(x)
	rows := c.query("SELECT v, writetime(v) FROM t WHERE k = 1 AND c = 2").(*frame.Rows)
	for row := range rows.Each() {
		if string(row[0]) != "named" || string(row[1]) != "\x00\x00\x00\x00\x00\x00\x03\xe8" {
			t.Errorf("row %q", row)
		}
	}
	if rows.Count != 1 {
		t.Errorf("%d rows", rows.Count)
	}
	x.Names = []string{"v", "k", "d"}
	c.expectError(x, frame.ErrorInvalid)

	q := queryOf("SELECT v FROM t")
	q.Keyspace = "ks" // of the statement alone
	if m := c.ask(&frame.Query{Text: "USE system_nowhere"}); m.Opcode() != frame.OpError {
		t.Error(m)
	}
	c.ask(q)
	expiring := queryOf("INSERT INTO t (k, c, v) VALUES (7, 7, 'x') USING TTL 10")
	expiring.HasNow, expiring.Now = true, 1000
	c.ask(expiring)
	if n := c.query("SELECT * FROM t WHERE k = 7").(*frame.Rows).Count; n != 0 {
		t.Error("it has not expired by the server's clock")
	}
	then := queryOf("SELECT * FROM t WHERE k = 7")
	then.HasNow, then.Now = true, 1005
	if n := c.ask(then).(*frame.Rows).Count; n != 1 {
		t.Error("it has expired by the client's clock")
	}
}

func TestBatch(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V4, frame.Snappy)
	c.keyspace()
	insert := c.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
	for _, kind := range []frame.BatchType{frame.BatchLogged, frame.BatchUnlogged} {
		b := &frame.Batch{Type: kind, Consistency: consistency.One}
		for i := range 10 {
			b.Statements = append(b.Statements,
				frame.BatchStatement{ID: insert.ID, Values: []frame.Value{{Bytes: bigEndian(int(kind))}, {Bytes: bigEndian(i)}, {Bytes: []byte("a")}}},
				frame.BatchStatement{Text: fmt.Sprintf("INSERT INTO ks.t (k, c, v) VALUES (%d, %d, ?)", kind, 100+i), Values: []frame.Value{{Bytes: []byte("b")}}})
		}
		if m := c.ask(b); m.Opcode() != frame.OpResult {
			t.Fatal(m)
		}
	}
	if n := c.query("SELECT * FROM t").(*frame.Rows).Count; n != 40 {
		t.Errorf("%d rows", n)
	}
}

func TestSchemaEvents(t *testing.T) {
	h := newHost(t, cql.Options{})
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		listener := h.connect(t, v, compression)
		listener.ask(&frame.Register{Events: []string{frame.EventSchemaChange, frame.EventStatusChange, frame.EventTopologyChange}})
		c := h.connect(t, v, compression)
		change, ok := c.query("CREATE KEYSPACE e WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").(*frame.SchemaChange)
		want := frame.SchemaChange{Change: frame.Created, Target: frame.TargetKeyspace, Keyspace: "e"}
		if !ok || fmt.Sprint(*change) != fmt.Sprint(want) {
			t.Errorf("result %+v", change)
		}
		got := listener.receive()
		event, ok := got.message.(*frame.Event)
		if !ok || got.stream != frame.EventStream || fmt.Sprint(event.Schema) != fmt.Sprint(want) {
			t.Errorf("event %+v", got)
		}
		c.query("CREATE TABLE e.t (k int PRIMARY KEY)")
		if event = listener.receive().message.(*frame.Event); event.Schema.Name != "t" || event.Schema.Target != frame.TargetTable {
			t.Errorf("event %+v", event)
		}
		c.query("TRUNCATE e.t") // no event
		c.query("DROP KEYSPACE e")
		if event = listener.receive().message.(*frame.Event); event.Schema.Change != frame.Dropped {
			t.Errorf("event %+v", event)
		}
	})
}

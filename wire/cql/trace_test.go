package cql_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// A recorded trace is what system_traces holds of a request.
type recorded struct {
	request    string
	parameters map[string]string
	duration   int
	activities []string
	elapsed    []int
}

// traced sends a message with the tracing flag, and returns the answer and what is recorded when it has arrived.
func (c *client) traced(m frame.Message) (frame.Message, recorded) {
	c.t.Helper()
	c.add(7, &frame.Prologue{Tracing: true}, m)
	c.flush()
	a := c.receive()
	if !a.prologue.Tracing || a.stream != 7 || a.prologue.TracingID.Version() != 1 {
		c.t.Fatalf("no trace: %+v", a)
	}
	return a.message, c.recorded(a.prologue.TracingID)
}

// recorded reads system_traces as clients do.
func (c *client) recorded(id cqltype.UUID) recorded {
	c.t.Helper()
	var out recorded
	sessions := c.texts("SELECT duration, request, command, client, coordinator, parameters FROM system_traces.sessions WHERE session_id = " + id.String())
	if len(sessions) != 1 {
		c.t.Fatalf("%d sessions", len(sessions))
	}
	s := sessions[0]
	if _, err := fmt.Sscan(s[0], &out.duration); err != nil {
		c.t.Fatalf("duration %q: %v", s[0], err)
	}
	if s[2] != "QUERY" || s[3] != "127.0.0.1" || s[4] != "127.0.0.1" {
		c.t.Errorf("command, client and coordinator: %q", s[2:5])
	}
	out.request, out.parameters = s[1], make(map[string]string)
	for _, pair := range regexp.MustCompile(`'((?:[^']|'')*)': '((?:[^']|'')*)'`).FindAllStringSubmatch(s[5], -1) {
		out.parameters[pair[1]] = strings.ReplaceAll(pair[2], "''", "'")
	}
	for _, e := range c.texts("SELECT activity, source_elapsed, source, thread FROM system_traces.events WHERE session_id = " + id.String()) {
		elapsed := 0
		if _, err := fmt.Sscan(e[1], &elapsed); err != nil || e[2] != "127.0.0.1" || e[3] == "" {
			c.t.Errorf("event %q: %v", e, err)
		}
		out.activities, out.elapsed = append(out.activities, e[0]), append(out.elapsed, elapsed)
	}
	return out
}

// texts returns the values of a SELECT as text.
func (c *client) texts(query string) (out [][]string) {
	c.t.Helper()
	rows := c.query(query).(*frame.Rows)
	rest := rows.Content
	for range rows.Count {
		var line []string
		for _, column := range rows.Metadata.Columns {
			n := int32(uint32(rest[0])<<24 | uint32(rest[1])<<16 | uint32(rest[2])<<8 | uint32(rest[3]))
			rest = rest[4:]
			text := "null"
			if n >= 0 {
				text = string(column.Type.AppendText(nil, rest[:n]))
				rest = rest[n:]
			}
			line = append(line, text)
		}
		out = append(out, line)
	}
	return out
}

// check fails unless the activities are the wanted ones, which are regular expressions, and times do not go back.
func (r *recorded) check(t *testing.T, request string, parameters map[string]string, activities ...string) {
	t.Helper()
	if r.request != request || !maps.Equal(r.parameters, parameters) {
		t.Errorf("%s %q, want %s %q", r.request, r.parameters, request, parameters)
	}
	matches := len(r.activities) == len(activities)
	for i := 0; matches && i < len(activities); i++ {
		matches = regexp.MustCompile("^(?:" + activities[i] + ")$").MatchString(r.activities[i])
	}
	if !matches {
		t.Errorf("%s: activities\n%s\nwant\n%s", r.parameters["query"], strings.Join(r.activities, "\n"), strings.Join(activities, "\n"))
	}
	for i, e := range r.elapsed {
		if e > r.duration || i > 0 && e < r.elapsed[i-1] {
			t.Errorf("times %v of a request of %d", r.elapsed, r.duration)
		}
	}
}

func levels(more ...string) map[string]string {
	out := map[string]string{"consistency_level": "ONE", "serial_consistency_level": "SERIAL"}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

const (
	handOver = "Handing over to a worker"
	begins   = "Worker begins"
	cached   = "Statement was parsed before: taken from the cache"
	replica  = `this node, the one live replica of 1 \(ONE\)`
	queued   = "Queued for the next commit group"
	append1  = `Appending to commitlog in a group of 1 writes: \d entries, \d+ bytes`
	synced   = `Commit \d+ appended and synced to disk within .*s`
	visible  = "Visible to readers"
)

func TestTracesOfWrites(t *testing.T) {
	h := newHostOn(t, cql.Options{}, storage.Options{Sync: storage.SyncGroup})
	forms(t, func(t *testing.T, v frame.Version, compression frame.Compression) {
		c := h.connect(t, v, compression)
		c.query("DROP KEYSPACE IF EXISTS ks")
		c.keyspace()
		text := fmt.Sprintf("INSERT INTO t (k, c, v) VALUES (1, 2, '%d %d')", v, compression)
		_, got := c.traced(queryOf(text))
		got.check(t, "Execute CQL3 query", levels("query", text), "Parsing "+regexp.QuoteMeta(text), "Preparing statement", handOver, begins, cached,
			"Determining replicas for mutation 1 of 1: "+replica, queued, append1, synced, visible)

		p := c.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
		_, got = c.traced(executeOf(p, bigEndian(1), bigEndian(2), []byte("it's "+strings.Repeat("x", 2000))))
		got.check(t, "Execute CQL3 prepared query", levels("query", "INSERT INTO t (k, c, v) VALUES (?, ?, ?)",
			"bound_var_0_k", "1", "bound_var_1_c", "2", "bound_var_2_v", "'it''s "+strings.Repeat("x", 993)+"..."),
			"Executing prepared statement", handOver, begins, "Determining replicas for mutation 1 of 1: "+replica, queued, append1, synced, visible)

		_, got = c.traced(&frame.Batch{Consistency: consistency.One, Statements: []frame.BatchStatement{
			{ID: p.ID, Values: []frame.Value{{Bytes: bigEndian(1)}, {Bytes: bigEndian(1)}, {}}},
			{ID: p.ID, Values: []frame.Value{{Bytes: bigEndian(2)}, {Bytes: bigEndian(1)}, {}}},
			{Text: text},
		}})
		got.check(t, "Execute batch of CQL3 queries", levels(), handOver, begins, cached, "Batch of 3 statements on 2 partitions",
			"Determining replicas for mutation 1 of 2: "+replica, "Determining replicas for mutation 2 of 2: "+replica, queued, append1, synced, visible)
	})
}

func TestTracesOfReads(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V4, frame.NoCompression)
	c.keyspace()
	for i := range 30 {
		c.query(fmt.Sprintf("INSERT INTO t (k, c, v) VALUES (1, %d, 'v')", i))
	}
	c.query("DELETE FROM t WHERE k = 1 AND c = 3")
	point := "SELECT * FROM t WHERE k = 1 AND c = 4"
	_, got := c.traced(queryOf(point))
	got.check(t, "Execute CQL3 query", levels("query", point), `Parsing SELECT \* FROM t WHERE k = 1 AND c = 4`, "Preparing statement",
		"Executing single-partition query on ks.t: one row by its key", "Reading data from "+replica,
		"Read 1 live rows and 0 tombstone cells", `Merged 1 fragments that are not folded and 0 pages, as of commit \d+`, "Returning 1 rows, 21 bytes; no more follow")

	slice := queryOf("SELECT c FROM t WHERE k = 1 AND c < 20")
	slice.PageSize = 10
	_, got = c.traced(slice)
	got.check(t, "Execute CQL3 query", levels("query", slice.Text, "page_size", "10"), "Parsing "+slice.Text, "Preparing statement",
		"Executing single-partition query on ks.t: slices: 1", "Reading data from "+replica,
		"Read 11 live rows and 1 tombstone cells", `Merged 13 fragments that are not folded and 0 pages, as of commit \d+`, "Returning a page of 10 rows, 80 bytes; more follow")

	_, got = c.traced(queryOf("SELECT c FROM t"))
	got.check(t, "Execute CQL3 query", levels("query", "SELECT c FROM t"), "Parsing SELECT c FROM t", "Preparing statement", handOver, begins, cached,
		"Waiting for a turn among reads that may be long", "The turn has come", "Executing scan of ks.t in token order", "Submitting range request to "+replica,
		"Read 29 live rows and 1 tombstone cells", `Merged 31 fragments that are not folded and 0 pages, as of commit \d+`, "Returning 29 rows, 232 bytes; no more follow")
}

func TestTracesOfTheRest(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V5, frame.LZ4)
	c.keyspace()
	_, got := c.traced(&frame.Prepare{Text: "SELECT v FROM t"})
	got.check(t, "Preparing CQL3 query", map[string]string{"query": "SELECT v FROM t"}, "Parsing SELECT v FROM t", "Preparing statement")
	_, got = c.traced(&frame.Prepare{Text: "SELECT v FROM t"})
	got.check(t, "Preparing CQL3 query", map[string]string{"query": "SELECT v FROM t"}, "Statement was prepared before")

	create := "CREATE TABLE other (k int PRIMARY KEY)"
	m, got := c.traced(queryOf(create))
	got.check(t, "Execute CQL3 query", levels("query", create), "Parsing "+regexp.QuoteMeta(create), "Preparing statement", handOver, begins, cached,
		"Proposing a change of the schema", "The change is durable and in force")
	if _, ok := m.(*frame.SchemaChange); !ok {
		t.Errorf("answer %v", m)
	}

	for _, refused := range []struct{ text, why string }{{"SELECT * FROM nowhere", "table nowhere does not exist"}, {"SELEKT", "no viable alternative"}} {
		m, got = c.traced(queryOf(refused.text))
		if _, ok := m.(*frame.Error); !ok {
			t.Fatalf("answer %v", m)
		}
		last := got.activities[len(got.activities)-1]
		if !strings.HasPrefix(last, "Answering with an error: ") || !strings.Contains(last, refused.why) || got.parameters["query"] != refused.text {
			t.Errorf("%+v", got)
		}
	}
	// A statement that is not known here is not described by what another request has left.
	_, got = c.traced(&frame.Execute{ID: make([]byte, 16), ResultMetadataID: make([]byte, 16), Parameters: frame.Parameters{Consistency: consistency.One}})
	if len(got.parameters) != 0 || !strings.Contains(strings.Join(got.activities, ""), "not found") {
		t.Errorf("%+v", got)
	}

	c.add(1, &frame.Prologue{Tracing: true}, &frame.Register{}) // as in Cassandra it is not traced
	c.flush()
	if a := c.receive(); a.prologue.Tracing || len(a.prologue.Warnings) > 0 {
		t.Errorf("%+v", a.prologue)
	}
	c.send(2, queryOf("SELECT v FROM t"))
	if a := c.receive(); a.prologue.Tracing {
		t.Errorf("a request was traced that has not asked for it: %+v", a.prologue)
	}
}

// TestTracesAreBounded checks that a request with huge texts and values is recorded in few bytes.
func TestTracesAreBounded(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V5, frame.NoCompression)
	c.keyspace()
	c.query("CREATE TABLE wide (k int PRIMARY KEY, l list<text>)")
	long := "INSERT INTO t (k, c, v) VALUES (1, 1, '" + strings.Repeat("é", 50_000) + "')"
	_, got := c.traced(queryOf(long))
	if n := len(got.parameters["query"]); n < 4000 || n > 4100 || len(got.activities) < 8 {
		t.Errorf("%d bytes of the text, %q", n, got.activities)
	}
	markers := strings.TrimSuffix(strings.Repeat("?, ", 500), ", ")
	x := executeOf(c.prepare("SELECT * FROM t WHERE k = 1 AND c = 1 AND v IN (" + markers + ") ALLOW FILTERING"))
	for i := range 500 {
		x.Values = append(x.Values, frame.Value{Bytes: []byte(strings.Repeat("v", 200*i%5000))})
	}
	_, got = c.traced(x)
	size := 0
	for name, value := range got.parameters {
		size += len(name) + len(value)
	}
	if size < 4000 || size > 20_000 {
		t.Errorf("%d bytes of parameters", size)
	}
}

// TestZeroTimestamp: a client may say that it is 1970.
func TestZeroTimestamp(t *testing.T) {
	c := newHost(t, cql.Options{}).connect(t, frame.V5, frame.NoCompression)
	c.keyspace()
	q := queryOf("INSERT INTO t (k, c, v) VALUES (1, 1, 'old')")
	q.HasTimestamp = true
	if m := c.ask(q); m.Opcode() != frame.OpResult {
		t.Fatal(m)
	}
	if got := c.texts("SELECT writetime(v) FROM t"); fmt.Sprint(got) != "[[0]]" {
		t.Errorf("written at %v", got)
	}
	q = queryOf("INSERT INTO t (k, c, v) VALUES (1, 2, 'ttl') USING TTL 10")
	if q.HasNow = true; c.ask(q).Opcode() != frame.OpResult {
		t.Fatal("refused")
	}
	if got := c.texts("SELECT v FROM t WHERE k = 1 AND c = 2"); len(got) != 0 {
		t.Errorf("what has expired in 1970 is there: %v", got)
	}
	q = queryOf("SELECT ttl(v) FROM t WHERE k = 1 AND c = 2")
	if q.HasNow = true; c.ask(q).(*frame.Rows).Count != 1 {
		t.Error("what expires ten seconds later is not there")
	}
}

package plan_test

import (
	"testing"

	"github.com/iliumdb/ilium/grammar"
	"github.com/iliumdb/ilium/query/plan"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/storage/row"
)

// discard is a plan.Writer that keeps one mutation and reuses it.
type discard struct{ mutation row.Mutation }

func (d *discard) Mutation(_ *schema.Keyspace, t *schema.Table, partitionKey []byte) (*row.Mutation, error) {
	d.mutation.Begin(t.Incarnation, 0, partitionKey)
	return &d.mutation, nil
}

func (*discard) Stored(*schema.Table, []byte, []byte, bool) (*row.Fragment, error) { return nil, nil }

func benchmarkMake(b *testing.B, text string) {
	s := inbox(b)
	parsed, err := grammar.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.Make(s, "ks", parsed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMakeSelect(b *testing.B) {
	benchmarkMake(b, "SELECT sent_at, message_id FROM term_index WHERE user_id = ? AND word = ? AND sent_at <= ? LIMIT 20")
}

func BenchmarkMakeInsert(b *testing.B) {
	benchmarkMake(b, "INSERT INTO term_index (user_id, word, sent_at, message_id) VALUES (?, ?, ?, ?)")
}

// BenchmarkBind turns the values of an INSERT into a mutation.
func BenchmarkBind(b *testing.B) {
	parsed, err := grammar.Parse("INSERT INTO term_index (user_id, word, sent_at, message_id) VALUES (?, ?, ?, ?)")
	if err != nil {
		b.Fatal(err)
	}
	p, err := plan.Make(inbox(b), "ks", parsed)
	if err != nil {
		b.Fatal(err)
	}
	m := p.(*plan.Modify)
	sent, _, err := cqltype.TypeTimestamp.AppendEncode(nil, int64(1_000_000_000_000))
	if err != nil {
		b.Fatal(err)
	}
	binding := &plan.Binding{Values: []plan.Value{{Bytes: []byte("lokay-m")}, {Bytes: []byte("pipeline")}, {Bytes: sent}, {Bytes: []byte("17345.1075842442819.JavaMail")}}}
	source, w := &plan.Source{Timestamp: 1, Now: 1}, &discard{}
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Build(binding, source, w); err != nil {
			b.Fatal(err)
		}
	}
}

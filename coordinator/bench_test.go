package coordinator

import (
	"context"
	"testing"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/peer"
)

// direct is a network that answers at once, with what the first answer was.
type direct struct {
	*testNode
	answers map[peer.Verb][2][]byte // for data, for hashes
}

func (d *direct) Send(_ ring.HostID, v peer.Verb, _ time.Time, body []byte, done func([]byte, error)) {
	i := 0
	if v == peer.VerbRead && body[2]&flagDigest != 0 {
		i = 1
	}
	done(d.answers[v][i], nil)
}

// direct replaces the network of node n. All that lies behind it costs nothing.
func (n *testNode) direct(b *testing.B) *Coordinator {
	q := query{read: n.question(50)} // node 1 answers for all
	q.limit.Rows, q.limit.Bytes = 1, blockBytes
	d := &direct{testNode: n, answers: map[peer.Verb][2][]byte{}}
	var both [2][]byte
	for i, digest := range []bool{false, true} {
		r := &peer.Request{Verb: peer.VerbRead, Body: q.append(epochs{1, 1}, digest)}
		answer, err := n.nodes[0].coordinator.answer(context.Background(), r)
		n.must(err)
		both[i] = answer
	}
	d.answers[peer.VerbRead] = both
	c := n.coordinator
	opts := c.opts
	opts.Peers = d
	return New(c.engine, n, opts)
}

func BenchmarkWriteQuorum3(b *testing.B) {
	w := newTestCluster(b, 4)
	m := w.at(50).put("a", "1")
	for name, node := range map[string]int{"replica": 0, "other": 3} {
		b.Run(name, func(b *testing.B) {
			c := w.nodes[node].direct(b)
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			writes := []Write{{w.keyspace, &m.Mutation}}
			b.ReportAllocs()
			for b.Loop() {
				w.must(c.Write(ctx, nil, consistency.Quorum, writes...))
			}
		})
	}
	b.Run("engine", func(b *testing.B) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		b.ReportAllocs()
		for b.Loop() {
			w.must(w.nodes[0].engine.Apply(ctx, &m.Mutation))
		}
	})
}

func (w *testCluster) benchmarkRead(b *testing.B, node int, level consistency.Level) {
	w.at(50).put("a", "1").on(1, 2, 3)
	c := w.nodes[node].direct(b)
	q := w.question(50)
	b.ReportAllocs()
	for b.Loop() {
		cursor, err := c.Read(context.Background(), w.nodes[node].reading(level, 1), q)
		w.must(err)
		if !cursor.Next() {
			b.Fatal("no row", cursor.Err())
		}
		cursor.Close()
	}
}

func BenchmarkReadQuorum3(b *testing.B) {
	w := newTestCluster(b, 4)
	b.Run("replica", func(b *testing.B) { w.benchmarkRead(b, 0, consistency.Quorum) })
	b.Run("other", func(b *testing.B) { w.benchmarkRead(b, 3, consistency.Quorum) })
	b.Run("engine", func(b *testing.B) {
		q := w.question(50)
		var block []byte
		b.ReportAllocs()
		for b.Loop() {
			var err error
			query := query{read: q}
			query.limit.Rows = 1
			block, err = w.nodes[0].coordinator.block(block[:0], &query)
			w.must(err)
		}
	})
}

func BenchmarkReadOneLocal(b *testing.B) {
	w := newTestCluster(b, 4)
	w.benchmarkRead(b, 0, consistency.One)
}

func BenchmarkReplicaMutate(b *testing.B) {
	w := newTestCluster(b, 4)
	body := appendMutations(epochs{1, 1}, []*row.Mutation{&w.at(50).put("a", "1").Mutation})
	b.ReportAllocs()
	for b.Loop() {
		_, err := w.nodes[0].coordinator.mutate(context.Background(), &peer.Request{Verb: peer.VerbMutate, Body: body})
		w.must(err)
	}
}

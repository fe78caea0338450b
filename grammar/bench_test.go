package grammar_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/grammar"
)

func benchmark(b *testing.B, text string) {
	b.Helper()
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := grammar.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	benchmark(b, "SELECT a, b, c FROM ks.t WHERE k = ?")
}

func BenchmarkSelectSlice(b *testing.B) {
	benchmark(b, "SELECT message_id, sent_at FROM mail.term_index WHERE user_id = ? AND word = 'hello' AND sent_at < '2026-01-01' ORDER BY sent_at DESC LIMIT 50")
}

func BenchmarkInsert(b *testing.B) {
	benchmark(b, "INSERT INTO ks.t (a, b, c, d, e, f, g, h, i, j) VALUES (1, 'two', 3.0, true, ?, 0xff, [1, 2], {'a': 1}, 123e4567-e89b-12d3-a456-426614174000, now())")
}

func BenchmarkCreateTable(b *testing.B) {
	benchmark(b, "CREATE TABLE IF NOT EXISTS mail.messages (user_id uuid, message_id timeuuid, sent_at timestamp, sender text, recipients list<text>, headers map<text, text>, body blob, PRIMARY KEY ((user_id), message_id)) WITH CLUSTERING ORDER BY (message_id DESC) AND compaction = {'class': 'LeveledCompactionStrategy'} AND comment = 'mail'")
}

func BenchmarkBatch(b *testing.B) {
	benchmark(b, batch(100))
}

func BenchmarkInList(b *testing.B) {
	benchmark(b, "SELECT * FROM t WHERE k IN ("+strings.Repeat("?, ", 999)+"?)")
}

func BenchmarkError(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := grammar.Parse("SELECT a, b, c FROM ks.t WHERE k = = ?"); err == nil {
			b.Fatal("no error")
		}
	}
}

func BenchmarkParallelSelect(b *testing.B) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := grammar.Parse("SELECT a, b, c FROM ks.t WHERE k = ?"); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkPrint(b *testing.B) {
	parsed, err := grammar.Parse("SELECT a, b, c FROM ks.t WHERE k = ?")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = parsed.String()
	}
}

// batch returns a batch of n statements.
func batch(n int) string {
	var text strings.Builder
	text.WriteString("BEGIN BATCH\n")
	for i := range n {
		fmt.Fprintf(&text, "INSERT INTO ks.t (a, b, c) VALUES (%d, 'value', ?);\n", i)
	}
	text.WriteString("APPLY BATCH")
	return text.String()
}

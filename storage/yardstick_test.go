package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"github.com/iliumdb/ilium/storage/row"
)

// The benchmarks of this file do the same work on the engine and on Badger alone, with the same options below and the
// same durability, to be compared within one run: what the engine adds is what it costs.

// A postingSource invents the index entries of messages, as the inbox has them: a word, a time and an id.
type postingSource struct {
	words *rand.Zipf
	seed  uint64
}

func newPostingSource(seed uint64) *postingSource {
	return &postingSource{words: rand.NewZipf(rand.New(rand.NewPCG(seed, 1)), 1.1, 8, 50_000), seed: seed}
}

// postingsPerMessage is what the mail of the inbox workload has on average.
const postingsPerMessage = 113

// message returns the user of message n and the clustering keys of its postings.
func (s *postingSource) message(n int) (user string, keys [][]byte) {
	user = fmt.Sprintf("user-%02d", n%40)
	for len(keys) < postingsPerMessage {
		key := fmt.Appendf(nil, "word%d\x00\x01", s.words.Uint64())
		key = binary.BigEndian.AppendUint64(key, ^uint64(n)*1000)
		keys = append(keys, fmt.Appendf(key, "<%d.%d.JavaMail.ada@thyme>\x00\x01", s.seed, n))
	}
	return user, keys
}

const yardstickWriters = 16

// load lets many writers store messages, one at a time each, until b is done.
func load(b *testing.B, store func(user string, keys [][]byte, timestamp int64) error) {
	var next atomic.Int64
	var writers sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for w := range yardstickWriters {
		writers.Go(func() {
			source := newPostingSource(uint64(w))
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				user, keys := source.message(int(n))
				if err := store(user, keys, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	b.ReportMetric(float64(b.N)*postingsPerMessage/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/postingsPerMessage, "ns/row")
}

func yardstickOptions(b *testing.B) Options {
	opts := testOptions(b.TempDir())
	opts.Memory = 256 << 20
	return opts
}

func openRaw(b *testing.B) *badger.DB {
	o := yardstickOptions(b).withDefaults().badger(func(err error) { b.Error(err) })
	db, err := badger.OpenManaged(o.WithBypassLockGuard(false))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db
}

// rawKey is the key that a posting has in Badger alone: as the engine has it.
func rawKey(user string, clustering []byte) []byte {
	key := row.AppendTable(nil, table7, row.Fragments)
	key = row.AppendPartition(key, 42, []byte(user))
	return append(append(key, byte(row.KindRow)), clustering...)
}

// storeRaw writes a message in one transaction, which Badger syncs.
func storeRaw(db *badger.DB, version uint64, user string, keys [][]byte) error {
	txn := db.NewTransactionAt(math.MaxUint64, true)
	defer txn.Discard()
	value := binary.BigEndian.AppendUint64(nil, version) // a timestamp: the least that a row needs
	for _, k := range keys {
		if err := txn.Set(rawKey(user, k), value); err != nil {
			return err
		}
	}
	return txn.CommitAt(version, nil)
}

// BenchmarkLoadPostings stores the postings of one message for each iteration, durably.
func BenchmarkLoadPostings(b *testing.B) {
	b.Run("ilium", func(b *testing.B) {
		e := openEngine(b, yardstickOptions(b))
		defer closeEngine(b, e)
		load(b, func(user string, keys [][]byte, timestamp int64) error {
			var m row.Mutation
			f := row.NewFragment()
			f.Liveness.Timestamp = timestamp
			m.Begin(table7, 42, []byte(user))
			for _, k := range keys {
				m.AddRow(f, k)
			}
			return e.Apply(context.Background(), &m)
		})
	})
	b.Run("badger", func(b *testing.B) {
		db := openRaw(b)
		load(b, func(user string, keys [][]byte, timestamp int64) error {
			return storeRaw(db, uint64(timestamp), user, keys)
		})
	})
}

// BenchmarkSearchPostings reads the 20 newest postings of a frequent word from 10,000 messages, after compaction.
func BenchmarkSearchPostings(b *testing.B) {
	const messages = 10_000
	word := func(i int) []byte { return fmt.Appendf(nil, "word%d\x00\x01", i%50) }
	source := newPostingSource(1)
	b.Run("ilium", func(b *testing.B) {
		e := openEngine(b, yardstickOptions(b))
		defer closeEngine(b, e)
		f := row.NewFragment()
		for n := range messages {
			user, keys := source.message(n)
			f.Liveness.Timestamp = int64(n)
			m := mutation(user)
			for _, k := range keys {
				m.AddRow(f, k)
			}
			apply(b, e, m)
		}
		if err := e.Compact(context.Background(), table7); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		rows := 0
		for i := 0; b.Loop(); i++ {
			start := word(i)
			c := e.Read(&Read{Incarnation: table7, Partition: prefixOf(fmt.Sprintf("user-%02d", i%40)),
				Slices: []Slice{{Start: start, End: append(start[:len(start)-1:len(start)-1], 2)}}})
			for n := 0; n < 20 && c.Next(); n++ {
				rows++
			}
			c.Close()
			if c.Err() != nil {
				b.Fatal(c.Err())
			}
		}
		b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
	})
	b.Run("badger", func(b *testing.B) {
		db := openRaw(b)
		for n := range messages {
			user, keys := source.message(n)
			if err := storeRaw(db, uint64(n)+1, user, keys); err != nil {
				b.Fatal(err)
			}
		}
		if err := db.Flatten(2); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		rows := 0
		for i := 0; b.Loop(); i++ {
			prefix := rawKey(fmt.Sprintf("user-%02d", i%40), word(i))
			txn := db.NewTransactionAt(math.MaxUint64, false)
			it := iterate(txn, prefix, false, false)
			it.Seek(prefix)
			for n := 0; n < 20 && it.Valid(); n++ {
				rows++
				it.Next()
			}
			it.Close()
			txn.Discard()
		}
		b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
	})
}

package process

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/iliumdb/ilium/node"
)

// The writer writes batches from several threads at once and prints a line for each as soon as it
// was acknowledged. A batch has rows in several partitions; every deleteEvery-th batch of a thread
// deletes an earlier one instead. What is in a batch follows from the seed, the thread and the
// number, so that the parent process knows it too.

const (
	threads     = 8
	partitions  = 16
	deleteEvery = 7
	deleteBack  = 3 // how many numbers before it the deleted batch has
	bigEvery    = 61

	syncPeriod = 100 * time.Millisecond // with commitlog_sync: periodic
)

// Errors that the writer can make on purpose.
const (
	faultForget = "forget" // acknowledges batches that it did not write
	faultTear   = "tear"   // leaves a row out of batches
	faultKeep   = "keep"   // acknowledges deletions that it did not carry out
)

// A batch is named by the thread that writes it and its number there.
type batch struct{ thread, number int }

func (b batch) String() string { return fmt.Sprintf("batch %d of thread %d", b.number, b.thread) }

// deletes returns the batch that b deletes, if it is a deletion.
func (b batch) deletes() (batch, bool) {
	return batch{b.thread, b.number - deleteBack}, b.number%deleteEvery == deleteEvery-1
}

// A position is where a row of a batch is.
type position struct{ partition, index int }

// rows returns what the batch inserts. Most batches are small; a big one is larger than a
// transaction of the engine, so that it is carried out in parts.
func (b batch) rows(seed uint64) map[position][]byte {
	random := rand.New(rand.NewPCG(seed, uint64(b.thread)<<32|uint64(b.number)))
	count, size := 2+random.IntN(8), 10+random.IntN(300)
	if b.number%bigEvery == bigEvery-1 {
		count, size = 12, 60_000
	}
	rows := make(map[position][]byte, count)
	for i := range count {
		payload := make([]byte, size, size+8)
		for at := 0; at < size; at += 8 {
			binary.LittleEndian.PutUint64(payload[at:at+8:cap(payload)], random.Uint64())
		}
		rows[position{random.IntN(partitions), i}] = payload
	}
	return rows
}

const (
	createWriterKeyspace = `CREATE KEYSPACE IF NOT EXISTS w WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`
	createWriterTable    = `CREATE TABLE IF NOT EXISTS w.rows (p int, thread int, number int, i int, payload blob, PRIMARY KEY ((p), thread, number, i))`
	insertRow            = `INSERT INTO w.rows (p, thread, number, i, payload) VALUES (?, ?, ?, ?, ?)`
	deleteBatch          = `DELETE FROM w.rows WHERE p = ? AND thread = ? AND number = ?`
	selectRows           = `SELECT p, thread, number, i, payload FROM w.rows`
)

// playWriter writes until it is killed or a write fails.
func playWriter(ctx context.Context, n *node.Node, f *roleFlags) error {
	session := n.Session()
	for _, ddl := range []string{createWriterKeyspace, createWriterTable} {
		if err := session.Query(ddl).Exec(ctx); err != nil {
			return err
		}
	}
	next, err := parseNumbers(f.from)
	if err != nil {
		return err
	}
	failed := make(chan error, threads)
	var stdout sync.Mutex
	for thread, number := range next {
		w := &writer{session: session, seed: f.seed, fault: f.fault}
		go func() {
			for ; ; number++ {
				b := batch{thread, number}
				if err := w.write(ctx, b); err != nil {
					failed <- fmt.Errorf("%s: %w", b, err)
					return
				}
				stdout.Lock()
				_, err := fmt.Printf("%d %d\n", thread, number)
				stdout.Unlock()
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	err = <-failed
	fmt.Fprintln(os.Stderr, err)
	return err
}

// parseNumbers reads the starting number of each thread.
func parseNumbers(text string) ([threads]int, error) {
	var numbers [threads]int
	for i, part := range strings.SplitN(text, ",", threads) {
		n, err := strconv.Atoi(part)
		if err != nil {
			return numbers, err
		}
		numbers[i] = n
	}
	return numbers, nil
}

type writer struct {
	session *node.Session
	seed    uint64
	fault   string
}

// write carries out one batch.
func (w *writer) write(ctx context.Context, b batch) error {
	out := w.session.Batch()
	faulty := b.number%20 == 19
	if target, ok := b.deletes(); ok {
		if w.fault == faultKeep {
			return nil
		}
		done := make(map[int]bool)
		for at := range target.rows(w.seed) {
			if !done[at.partition] {
				out.AddText(deleteBatch, at.partition, target.thread, target.number)
			}
			done[at.partition] = true
		}
		return out.Exec(ctx)
	}
	if faulty && w.fault == faultForget {
		return nil
	}
	for at, payload := range b.rows(w.seed) {
		if !(faulty && w.fault == faultTear && out.Len() == 1) {
			out.AddText(insertRow, at.partition, b.thread, b.number, at.index, payload)
		} else {
			faulty = false
		}
	}
	return out.Exec(ctx)
}

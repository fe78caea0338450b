package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/storage"
)

// The filler writes and reads as it is told by lines on its standard input:
//
//	fill    write rows from several threads until they are refused
//	write   write one row
//	read    read all rows and compare them
//
// It answers each with one line. At the end of the input it stops.
type filler struct {
	ctx     context.Context
	session *node.Session
	next    atomic.Int64
	written sync.Map // numbers of acknowledged rows
}

const fillerRow = 30_000 // bytes

func playFull(ctx context.Context, n *node.Node, f *roleFlags) error {
	w := &filler{ctx: ctx, session: n.Session()}
	for _, ddl := range []string{createWriterKeyspace, createWriterTable} {
		if err := w.session.Query(ddl).Exec(ctx); err != nil {
			return err
		}
	}
	if n, err := w.read(); err != nil {
		return err
	} else if n > 0 {
		fmt.Fprintln(os.Stderr, "found", n, "rows")
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		switch commands.Text() {
		case "fill":
			fmt.Println(w.fill())
		case "write":
			fmt.Println(describe(w.write()))
		case "read":
			n, err := w.read()
			fmt.Println(n, describe(err))
		}
	}
	return commands.Err()
}

func describe(err error) string {
	var full *storage.DiskFullError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &full):
		return "full: " + err.Error()
	default:
		return "error: " + err.Error()
	}
}

// fill returns the first error.
func (w *filler) fill() string {
	var all sync.WaitGroup
	errs := make(chan error, threads)
	for range threads {
		all.Go(func() {
			for {
				if err := w.write(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	return describe(<-errs)
}

func (w *filler) write() error {
	n := int(w.next.Add(1))
	if err := w.session.Query(insertRow, n%partitions, 0, n, 0, fillerValue(n)).Exec(w.ctx); err != nil {
		return err
	}
	w.written.Store(n, true)
	return nil
}

func fillerValue(n int) []byte {
	value := make([]byte, fillerRow)
	random := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = random.Read(value) // never fails
	return value
}

// read returns how many rows there are. All that were acknowledged must be.
func (w *filler) read() (int, error) {
	rows := w.session.Query(selectRows).PageSize(200).Iter(w.ctx)
	count, found := 0, make(map[int]bool)
	for rows.Next() {
		var n int
		var value []byte
		if err := rows.Scan(nil, nil, &n, nil, &value); err != nil {
			return count, err
		}
		if !bytes.Equal(value, fillerValue(n)) {
			return count, fmt.Errorf("row %d has another value", n)
		}
		found[n] = true
		count++
		w.next.Store(max(w.next.Load(), int64(n)))
	}
	if err := rows.Close(); err != nil {
		return count, err
	}
	var lost error
	w.written.Range(func(n, _ any) bool {
		if !found[n.(int)] {
			lost = fmt.Errorf("row %d is lost", n)
		}
		return lost == nil
	})
	return count, lost
}

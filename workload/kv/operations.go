package kv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/iliumdb/ilium/workload/bench"
	"github.com/iliumdb/ilium/workload/client"
)

// A Choice says by which chance operations take their keys.
type Choice struct {
	Keys  *Keys
	Seed  uint64
	Reads int // percent of reads in Mixed
}

// An operator is one worker's share: its buffers, and the boxed forms in which they are handed over, so
// that an operation allocates nothing here but its key.
type operator struct {
	tables *Tables
	choice Choice
	random *rand.Rand
	args   []any // of a write: the key, then the boxes of out
	out    [][]byte
	key    [1]any // of a read
	in     [][]byte
	dest   []any // points to in; of a slice: to position and in[0]

	position int64
}

func (t *Tables) operator(choice Choice, worker, columns int) *operator {
	o := &operator{tables: t, choice: choice, random: rand.New(rand.NewPCG(choice.Seed, uint64(worker)+1)),
		out: make([][]byte, columns), in: make([][]byte, columns), args: make([]any, 1)}
	for i := range o.out {
		o.out[i] = make([]byte, t.shape.ValueSize)
		o.args = append(o.args, o.out[i])
		o.dest = append(o.dest, &o.in[i])
	}
	return o
}

// LoadData returns operations that write the rows of data in order of their keys.
func (t *Tables) LoadData(seed uint64) func(worker int) bench.Operation {
	return func(worker int) bench.Operation {
		o := t.operator(Choice{Seed: seed}, worker, t.shape.Columns)
		return o.write
	}
}

// LoadWide returns operations that write the rows of wide, partition by partition, the oldest first.
func (t *Tables) LoadWide(seed uint64) func(worker int) bench.Operation {
	return func(worker int) bench.Operation {
		o := t.operator(Choice{Seed: seed}, worker, 1)
		o.args = []any{nil, nil, o.out[0]}
		return func(ctx context.Context, number int64) error {
			p := place{number / t.shape.Rows, number % t.shape.Rows}
			p.fill(o.out[0], o.random.Uint64())
			o.args[0], o.args[1] = p.key, p.column
			return t.append.Exec(ctx, o.args...)
		}
	}
}

// Write returns operations that write rows of data.
func (t *Tables) Write(choice Choice) func(worker int) bench.Operation {
	return func(worker int) bench.Operation {
		o := t.operator(choice, worker, t.shape.Columns)
		return func(ctx context.Context, _ int64) error { return o.write(ctx, choice.Keys.pick(o.random)) }
	}
}

// Read returns operations that read and check rows of data.
func (t *Tables) Read(choice Choice) func(worker int) bench.Operation {
	return func(worker int) bench.Operation {
		o := t.operator(choice, worker, t.shape.Columns)
		return func(ctx context.Context, _ int64) error { return o.read(ctx, choice.Keys.pick(o.random)) }
	}
}

// Mixed returns operations that read or write, by chance.
func (t *Tables) Mixed(choice Choice) func(worker int) bench.Operation {
	return func(worker int) bench.Operation {
		o := t.operator(choice, worker, t.shape.Columns)
		return func(ctx context.Context, _ int64) error {
			key := choice.Keys.pick(o.random)
			if o.random.IntN(100) < choice.Reads {
				return o.read(ctx, key)
			}
			return o.write(ctx, key)
		}
	}
}

// Slice returns operations that read and check the newest rows of a partition of wide.
func (t *Tables) Slice(choice Choice) func(worker int) bench.Operation {
	return func(worker int) bench.Operation {
		o := t.operator(choice, worker, 1)
		o.dest = []any{&o.position, &o.in[0]}
		return func(ctx context.Context, _ int64) error { return o.slice(ctx, choice.Keys.pick(o.random)) }
	}
}

func (o *operator) write(ctx context.Context, key int64) error {
	for i, value := range o.out {
		place{key, int64(i)}.fill(value, o.random.Uint64())
	}
	o.args[0] = key
	return o.tables.write.Exec(ctx, o.args...)
}

func (o *operator) read(ctx context.Context, key int64) error {
	o.key[0] = key
	o.forget()
	err := client.One(o.tables.read.Query(ctx, 0, o.key[:]...), o.dest...)
	if errors.Is(err, client.ErrNotFound) {
		return missing("key %d is missing; was it loaded?", key)
	}
	if err != nil {
		return err
	}
	for i, value := range o.in {
		if err := (place{key, int64(i)}).check(value, o.tables.shape.ValueSize); err != nil {
			return err
		}
	}
	return nil
}

// forget empties what is read into: what a read leaves alone must not look like the row before.
func (o *operator) forget() {
	for i := range o.in {
		o.in[i] = o.in[i][:0]
	}
}

func (o *operator) slice(ctx context.Context, key int64) error {
	shape := &o.tables.shape
	want := min(shape.Limit, shape.Rows)
	o.key[0] = key
	rows := o.tables.slice.Query(ctx, 0, o.key[:]...)
	defer rows.Close()
	for n := int64(0); ; n++ {
		o.forget()
		ok, err := rows.Next(o.dest...)
		if err != nil {
			return err
		}
		if !ok {
			if n < want {
				return missing("partition %d has %d rows, not %d; was it loaded?", key, n, want)
			}
			return nil
		}
		if o.position != shape.Rows-1-n || n == want {
			return &WrongError{"wrong row", fmt.Sprintf("row %d of partition %d is the one of position %d", n, key, o.position)}
		}
		if err := (place{key, o.position}).check(o.in[0], shape.ValueSize); err != nil {
			return err
		}
	}
}

func missing(format string, args ...any) error {
	return &WrongError{"missing", fmt.Sprintf(format, args...)}
}

package kv

import (
	"context"
	"testing"

	"github.com/iliumdb/ilium/workload/bench"
	"github.com/iliumdb/ilium/workload/client"
)

// A memory is a Database that answers at once with the last row written, to see what the workload
// itself costs.
type memory struct {
	row  []any
	left int64
}

func (m *memory) Exec(context.Context, string) error { return nil }

func (m *memory) Prepare(context.Context, string) (client.Statement, error) {
	return statement{m}, nil
}

func (m *memory) Batch() client.Batch { return nil }

func (m *memory) Unset() any { return nil }

type statement struct{ *memory }

func (s statement) Exec(_ context.Context, values ...any) error {
	s.row = values
	return nil
}

func (s statement) Query(context.Context, int, ...any) client.Rows {
	s.left = 1
	return answer(s)
}

type answer struct{ *memory }

func (a answer) Next(dest ...any) (bool, error) {
	if a.left == 0 {
		return false, nil
	}
	a.left--
	for i, d := range dest {
		to := d.(*[]byte)
		*to = append((*to)[:0], a.row[i+1].([]byte)...)
	}
	return true, nil
}

func (a answer) PageEnds() bool { return false }

func (a answer) Close() {}

// alone returns operations on a memory with one key, a write made.
func alone(tb testing.TB) (write, read bench.Operation) {
	tb.Helper()
	shape := small()
	shape.Keys, shape.ValueSize = 1, 100
	tables, err := Open(tb.Context(), &memory{}, shape)
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := NewKeys("uniform", shape.Keys)
	if err != nil {
		tb.Fatal(err)
	}
	write, read = tables.Write(Choice{Keys: keys})(0), tables.Read(Choice{Keys: keys})(0)
	if err := write(tb.Context(), 0); err != nil {
		tb.Fatal(err)
	}
	return write, read
}

// The processors are the server's: an operation allocates nothing but the box of its key, which for
// small numbers Go has at hand.
func TestAllocations(t *testing.T) {
	write, read := alone(t)
	for name, operation := range map[string]bench.Operation{"write": write, "read": read} {
		allocations := testing.AllocsPerRun(100, func() {
			if err := operation(t.Context(), 0); err != nil {
				t.Error(err)
			}
		})
		if allocations > 0 {
			t.Errorf("a %s allocates %f times", name, allocations)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	write, _ := alone(b)
	for b.Loop() {
		if err := write(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	_, read := alone(b)
	for b.Loop() {
		if err := read(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
	}
}

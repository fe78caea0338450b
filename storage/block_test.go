package storage

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/storage/row"
)

func readBlock(t testing.TB, e *Engine, r *Read, l Limit) ([]byte, BlockInfo) {
	t.Helper()
	block, info, err := e.ReadBlock([]byte("before"), r, l)
	if err != nil || !bytes.HasPrefix(block, []byte("before")) {
		t.Fatal(err)
	}
	return block[6:], info
}

func keysOf(t testing.TB, block []byte) (keys string) {
	t.Helper()
	var r BlockReader
	for r.Reset(block); r.Next(); {
		keys += fmt.Sprintf("%q ", r.Key()[len(prefixOf("pk")):])
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return keys
}

func deleteRange(m *row.Mutation, start, end string, timestamp int64) {
	f := row.NewFragment()
	f.Ranges = append(f.Ranges, row.RangeTombstone{Start: []byte(start), End: []byte(end), Deletion: row.Deletion{Timestamp: timestamp, LocalTime: 100}})
	m.AddHeader(f)
}

// A header is in every block, and is never all that is new in one; a scan makes progress over headers too.
func TestBlockLimits(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	m := mutation("pk")
	for _, c := range []string{"a", "b", "c"} {
		insert(m, c, 1, "v")
	}
	deleteRange(m, "c", "d", 5)
	apply(t, e, m)
	check := func(r *Read, l Limit, keys string, complete bool) {
		t.Helper()
		r.Incarnation, r.Partition, r.Now = table7, prefixOf("pk"), 100
		block, info := readBlock(t, e, r, l)
		if got := keysOf(t, block); got != keys || info.Complete != complete {
			t.Errorf("%s, complete %v; want %s, %v", got, info.Complete, keys, complete)
		}
	}
	check(&Read{}, Limit{}, `"\x00" "\x01a" "\x01b" `, true)
	check(&Read{}, Limit{Rows: 1}, `"\x00" "\x01a" `, false)
	check(&Read{}, Limit{Bytes: 1}, `"\x00" "\x01a" `, false)
	check(&Read{Reverse: true}, Limit{Rows: 1}, `"\x00" "\x01b" `, false)
	check(&Read{Slices: []Slice{{Start: []byte("b"), End: []byte("c")}}}, Limit{}, `"\x01b" `, true) // no deletion there
	check(&Read{Point: true, Slices: []Slice{{Start: []byte("c")}}}, Limit{}, `"\x00" `, true)
	scan := &Scan{Incarnation: table7, Now: 100}
	var got []string
	for more := true; more; {
		block, info, err := e.ScanBlock(nil, scan, Limit{Bytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, keysOf(t, block))
		var r BlockReader
		for r.Reset(block); r.Next(); {
		}
		more = !info.Complete && scan.After(r.Key())
	}
	if got, want := fmt.Sprint(got), `["\x00"  "\x00" "\x01a"  "\x00" "\x01b"  "\x00" ]`; got != want {
		t.Errorf("a scan in small steps: %s, want %s", got, want)
	}
}

func TestBlockFailsAsCursorsDo(t *testing.T) {
	opts := testOptions(t.TempDir())
	opts.TombstoneFail = 2
	e := openEngine(t, opts)
	m := mutation("pk")
	for i := range 3 {
		f := row.NewFragment()
		f.Deletion = row.Deletion{Timestamp: 5, LocalTime: 100}
		m.AddRow(f, fmt.Appendf(nil, "%d", i))
	}
	apply(t, e, m)
	r := &Read{Incarnation: table7, Partition: prefixOf("pk"), Now: 100}
	block, _, err := e.ReadBlock([]byte("before"), r, Limit{})
	var tombstones *TombstoneError
	if !errors.As(err, &tombstones) || string(block) != "before" {
		t.Errorf("%q, %v", block, err)
	}
	closeEngine(t, e)
	if _, _, err := e.ScanBlock(nil, &Scan{Incarnation: table7}, Limit{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Columns that were dropped are in no block, whether the rows were folded since or not.
func TestBlockWithoutDroppedColumns(t *testing.T) {
	opts := testOptions(t.TempDir())
	opts.Tables = testTables(Table{Name: "ks.t", HasColumn: func(id uint32) bool { return id != 2 }})
	e := openEngine(t, opts)
	defer closeEngine(t, e)
	m := mutation("pk")
	setCell(m, "a", 1, 5, []byte("v"))
	setCell(m, "b", 2, 5, []byte("v"))
	apply(t, e, m)
	r := &Read{Incarnation: table7, Partition: prefixOf("pk"), Now: 100}
	block, info := readBlock(t, e, r, Limit{})
	if got := keysOf(t, block); got != `"\x01a" ` || info.Stats.Rows != 1 {
		t.Errorf("%s, %d rows", got, info.Stats.Rows)
	}
}

// Who lacks a deletion gets it alone: the row that it deletes need not travel.
func TestRepairsAreSmall(t *testing.T) {
	a, b := openEngine(t, testOptions(t.TempDir())), openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, a)
	defer closeEngine(t, b)
	inserted, deleted := mutation("pk"), mutation("pk")
	insert(inserted, "a", 1, "v")
	insert(inserted, "c", 1, "v")
	apply(t, a, inserted)
	deleteRange(deleted, "a", "b", 5)
	insert(deleted, "c", 1, "v")
	apply(t, b, deleted)
	var blocks [][]byte
	for _, e := range []*Engine{a, b} {
		block, _ := readBlock(t, e, &Read{Incarnation: table7, Partition: prefixOf("pk"), Now: 100}, Limit{})
		blocks = append(blocks, block)
	}
	_, repairs, err := MergeBlocks(table7, false, blocks)
	if err != nil || len(repairs[0]) != 1 || repairs[0][0].Len() != 1 || !repairs[0][0].HasHeader() || repairs[1] != nil {
		t.Errorf("repairs %v, %v", repairs, err)
	}
}

func TestEntriesGoOn(t *testing.T) {
	e := openEngine(t, testOptions(t.TempDir()))
	defer closeEngine(t, e)
	m := mutation("pk")
	insert(m, "a", 1, "v")
	apply(t, e, m)
	bound := row.AppendToken(nil, 43)
	var asked [][]byte
	c := NewScanCursor(&Scan{Incarnation: table7}, func(after []byte) (*Entries, error) {
		if asked = append(asked, after); after != nil {
			return &Entries{}, nil
		}
		block, _, err := e.ScanBlock(nil, &Scan{Incarnation: table7, End: bound}, Limit{})
		entries := BlockEntries(block)
		entries.Continue(bound)
		return entries, err
	}, BlockOptions{})
	n := 0
	for c.Next() {
		n++
	}
	if c.Close(); n != 1 || c.Err() != nil || !reflect.DeepEqual(asked, [][]byte{nil, bound}) {
		t.Errorf("%d rows, %v, asked for %q", n, c.Err(), asked)
	}
}

// A replica that answers nonsense must not keep a cursor busy for ever.
func TestNoProgress(t *testing.T) {
	w := beginBlock(nil, false)
	f := row.NewFragment()
	f.Liveness.Timestamp = 5
	w.put(append(prefixOf("pk"), "\x01a"...), f)
	c := NewReadCursor(&Read{Partition: prefixOf("pk")}, func([]byte) (*Entries, error) { return BlockEntries(w.block), nil }, BlockOptions{})
	defer c.Close()
	for c.Next() {
	}
	var bad *BlockError
	if !errors.As(c.Err(), &bad) {
		t.Errorf("it ends with %v", c.Err())
	}
}

func TestFetchFails(t *testing.T) {
	failed := errors.New("no replica answers")
	c := NewScanCursor(&Scan{}, func([]byte) (*Entries, error) { return nil, failed }, BlockOptions{})
	defer c.Close()
	for range 2 {
		if c.Next() || c.Err() != failed {
			t.Errorf("it ends with %v", c.Err())
		}
	}
}

func BenchmarkReadBlock(b *testing.B) {
	e := wide(b, 10_000, true)
	defer closeEngine(b, e)
	r := &Read{Incarnation: table7, Partition: prefixOf("pk"), Slices: []Slice{{Start: []byte("00005000")}}}
	var block []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if block, _, err = e.ReadBlock(block[:0], r, Limit{Rows: 1000}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(block)))
}

func BenchmarkBlockCursor(b *testing.B) {
	e := wide(b, 10_000, true)
	defer closeEngine(b, e)
	r := &Read{Incarnation: table7, Partition: prefixOf("pk"), Slices: []Slice{{Start: []byte("00005000"), End: []byte("00006000")}}}
	block, _ := readBlock(b, e, r, Limit{})
	one := func(entries *Entries) {
		c := NewReadCursor(r, func([]byte) (*Entries, error) { return entries, nil }, BlockOptions{TombstoneFail: 1})
		n := 0
		for c.Next() {
			n++
		}
		if c.Close(); n != 1000 {
			b.Fatal(n, c.Err())
		}
	}
	b.Run("single", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			one(BlockEntries(block))
		}
	})
	b.Run("merged", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			entries, _, err := MergeBlocks(table7, false, [][]byte{block, block})
			if err != nil {
				b.Fatal(err)
			}
			one(entries)
		}
	})
	b.Run("digest", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(block)))
		for b.Loop() {
			Digest(block)
		}
	})
}

// fuzzBlocks adds some sound blocks.
func fuzzBlocks(f *testing.F) {
	for _, reverse := range []bool{false, true} {
		w := beginBlock(nil, reverse)
		fragment := row.NewFragment()
		fragment.Liveness.Timestamp = 5
		for _, c := range strings.Split("\x00 \x01b \x01a", " ") {
			if !reverse && c == "\x01a" {
				c = "\x01c"
			}
			w.put(append(prefixOf("pk"), c...), fragment)
		}
		w.end(!reverse)
		f.Add(w.block)
	}
	f.Add([]byte{blockVersion<<blockVersionShift | blockComplete})
}

func FuzzBlockReader(f *testing.F) {
	fuzzBlocks(f)
	f.Fuzz(func(t *testing.T, block []byte) {
		var r BlockReader
		w := beginBlock(nil, len(block) > 0 && block[0]&blockReversed != 0)
		n := 0
		var last []byte
		for r.Reset(block); r.Next(); n++ {
			if end, err := row.PartitionEnd(r.Key()); err != nil || row.Kind(r.Key()[end]) > row.KindRow {
				t.Fatalf("key %q, %v", r.Key(), err)
			}
			if !r.reverse && bytes.Compare(last, r.Key()) >= 0 {
				t.Fatalf("%q is not behind %q", r.Key(), last)
			}
			last = bytes.Clone(r.Key())
			if r.Row().IsEmpty() {
				return // no replica writes it
			}
			w.put(r.Key(), r.Row())
		}
		if r.Err() != nil {
			return
		}
		w.end(r.Complete())
		if again := keysAndRows(w.block); again != keysAndRows(block) {
			t.Fatalf("it changes on the way:\n%s\n%s", keysAndRows(block), again)
		}
	})
}

func keysAndRows(block []byte) (out string) {
	var r BlockReader
	for r.Reset(block); r.Next(); {
		out += fmt.Sprintf("%q %x\n", r.Key(), row.AppendBody(nil, r.Row(), 0))
	}
	return out + fmt.Sprint(r.Complete())
}

func FuzzMergeBlocks(f *testing.F) {
	w := beginBlock(nil, false)
	fragment := row.NewFragment()
	fragment.Liveness.Timestamp = 5
	w.put(append(prefixOf("pk"), "\x01a"...), fragment)
	f.Add(w.block, w.block, false)
	f.Fuzz(func(t *testing.T, a, b []byte, reverse bool) {
		entries, repairs, err := MergeBlocks(table7, reverse, [][]byte{a, b})
		if err != nil {
			return
		}
		for _, mutations := range repairs {
			for _, m := range mutations {
				if rest, err := new(row.Mutation).Decode(m.Append(nil)); err != nil || len(rest) > 0 {
					t.Fatal(err)
				}
			}
		}
		c := NewScanCursor(&Scan{}, func(after []byte) (*Entries, error) {
			if after != nil {
				return &Entries{}, nil
			}
			return entries, nil
		}, BlockOptions{})
		if reverse {
			c = NewReadCursor(&Read{Partition: prefixOf("pk"), Reverse: true}, func([]byte) (*Entries, error) { return BlockEntries(a), nil }, BlockOptions{})
		}
		for c.Next() {
		}
		c.Close()
	})
}

func FuzzDecodeRequests(f *testing.F) {
	r := &Read{Incarnation: table7, Partition: prefixOf("pk"), Slices: []Slice{{Start: []byte("a"), End: []byte("b")}, {Start: []byte("c")}}, Reverse: true, Now: 5}
	f.Add(AppendRead(nil, r, Limit{Rows: 3, Bytes: 4}))
	f.Add(AppendScan(nil, &Scan{Start: prefixOf("pk"), StaticOnly: true}, Limit{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, l, _, err := DecodeRead(b); err == nil {
			again, limit, rest, err := DecodeRead(AppendRead(nil, r, l))
			if err != nil || len(rest) > 0 || limit != l || !reflect.DeepEqual(r, again) {
				t.Fatalf("%+v becomes %+v, %v", r, again, err)
			}
			for _, clustering := range []string{"", "a", "b\xFF"} {
				moved := *r
				moved.After(append(append(bytes.Clone(r.Partition), byte(row.KindRow)), clustering...))
			}
		}
		if s, l, _, err := DecodeScan(b); err == nil {
			again, limit, rest, err := DecodeScan(AppendScan(nil, s, l))
			if err != nil || len(rest) > 0 || limit != l || !reflect.DeepEqual(s, again) {
				t.Fatalf("%+v becomes %+v, %v", s, again, err)
			}
			s.After(b)
		}
	})
}

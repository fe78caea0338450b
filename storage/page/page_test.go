package page

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/iliumdb/ilium/storage/row"
)

type item struct {
	key   string
	value row.Fragment
}

// A stored page is what a writer emitted.
type stored struct {
	upper, sealed []byte
	info          Info
}

func newCodec(t testing.TB) *Codec {
	c, err := NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// write makes pages of items; the storage key of a page is "p" and its upper bound.
func write(c *Codec, target int, compress bool, items []item, upper []byte) []stored {
	var pages []stored
	w := NewWriter(c, target, compress, func(upper []byte, info Info, seal Seal) {
		upper = bytes.Clone(upper)
		pages = append(pages, stored{upper, seal(nil, append([]byte("p"), upper...)), info})
	})
	w.Begin(77)
	for _, i := range items {
		w.Add([]byte(i.key), &i.value)
	}
	w.Finish(upper)
	return pages
}

var genItems = rapid.Custom(func(t *rapid.T) []item {
	var items []item
	prefix := rapid.SampledFrom([]string{"", "common/prefix/"}).Draw(t, "prefix")
	n := rapid.IntRange(1, 120).Draw(t, "n")
	size := rapid.SampledFrom([]int{0, 3, 40}).Draw(t, "size")
	number := 0
	for range n {
		number += rapid.IntRange(1, 300).Draw(t, "step")
		f := *row.NewFragment()
		f.Liveness.Timestamp = rapid.Int64Range(-5, 1e15).Draw(t, "timestamp")
		if rapid.IntRange(0, 9).Draw(t, "expires") == 0 {
			f.Liveness.TTL, f.Liveness.Expiry = 5, int64(number)
		}
		f.Cells = append(f.Cells, row.Cell{Column: 1, Timestamp: f.Liveness.Timestamp, Value: rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "value")})
		items = append(items, item{fmt.Sprintf("%s%07d", prefix, number), f})
	}
	return items
})

func TestRoundTrip(t *testing.T) {
	c := newCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems.Draw(t, "items")
		target := rapid.IntRange(1, 3000).Draw(t, "target")
		pages := write(c, target, rapid.Bool().Draw(t, "compress"), items, []byte("zzz"))
		checkForward(t, c, pages, items)
		checkBackward(t, c, pages, items)
		if last := pages[len(pages)-1]; string(last.upper) != "zzz" {
			t.Fatalf("the last page is stored under %q", last.upper)
		}
		seek := []byte(fmt.Sprintf("%.*s", rapid.IntRange(0, 25).Draw(t, "cut"), items[rapid.IntRange(0, len(items)-1).Draw(t, "which")].key))
		checkSeek(t, c, pages, items, seek)
	})
}

func load(t *rapid.T, r *Reader, p stored) {
	if err := r.Load(append([]byte("p"), p.upper...), p.sealed); err != nil {
		t.Fatal(err)
	}
	if r.Info() != p.info || p.info.Through != 77 {
		t.Fatalf("info %+v was written, %+v read", p.info, r.Info())
	}
}

func checkItem(t *rapid.T, r *Reader, want item) {
	var f row.Fragment
	if err := row.DecodeBody(r.Body(), r.Reference(), &f); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%s %v", r.Key(), f), fmt.Sprintf("%s %v", want.key, want.value); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func checkForward(t *rapid.T, c *Codec, pages []stored, items []item) {
	r := NewReader(c)
	for _, p := range pages {
		load(t, r, p)
		var first int64
		found := false
		err := r.First()
		for ; err == nil && r.Valid(); err = r.Next() {
			if string(r.Key()) > string(p.upper) {
				t.Fatalf("row %q is above its page's bound %q", r.Key(), p.upper)
			}
			if at, ok := items[0].value.PurgeableFrom(); ok && (!found || at < first) {
				first, found = at, true
			}
			checkItem(t, r, items[0])
			items = items[1:]
		}
		if err != nil {
			t.Fatal(err)
		}
		if found != p.info.HasTimes || first != p.info.FirstTime {
			t.Fatalf("first time %d %v, page says %+v", first, found, p.info)
		}
	}
	if len(items) > 0 {
		t.Fatalf("%d rows are missing", len(items))
	}
}

func checkBackward(t *rapid.T, c *Codec, pages []stored, items []item) {
	r := NewReader(c)
	for i := len(pages) - 1; i >= 0; i-- {
		load(t, r, pages[i])
		err := r.Last()
		for ; err == nil && r.Valid(); err = r.Prev() {
			checkItem(t, r, items[len(items)-1])
			items = items[:len(items)-1]
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(items) > 0 {
		t.Fatalf("%d rows are missing backwards", len(items))
	}
}

func checkSeek(t *rapid.T, c *Codec, pages []stored, items []item, key []byte) {
	r := NewReader(c)
	for _, p := range pages {
		load(t, r, p)
		var ge, lt string
		err := r.First()
		for ; err == nil && r.Valid(); err = r.Next() {
			if k := string(r.Key()); k < string(key) {
				lt = k
			} else if ge == "" {
				ge = k
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		at := func(seek func([]byte) error) string {
			if err := seek(key); err != nil {
				t.Fatal(err)
			}
			if !r.Valid() {
				return ""
			}
			return string(r.Key())
		}
		if got := at(r.SeekGE); got != ge {
			t.Fatalf("SeekGE(%q) = %q, want %q", key, got, ge)
		}
		if got := at(r.SeekLT); got != lt {
			t.Fatalf("SeekLT(%q) = %q, want %q", key, got, lt)
		}
	}
}

func TestSizes(t *testing.T) {
	c := newCodec(t)
	var items []item
	for i := range 2000 {
		f := *row.NewFragment()
		f.Liveness.Timestamp = int64(i)
		items = append(items, item{fmt.Sprintf("%020d", i), f})
	}
	pages := write(c, 1000, true, items, nil)
	for i, p := range pages {
		if p.info.RawSize < 300 || p.info.RawSize > 1600 {
			t.Errorf("page %d of %d holds %d bytes of rows; the target was 1000", i, len(pages), p.info.RawSize)
		}
	}
	if got := string(pages[len(pages)-1].upper); got != items[len(items)-1].key {
		t.Errorf("an open run ends at %q, want its last row", got)
	}
	if got := write(c, 1000, true, nil, nil); len(got) != 0 {
		t.Errorf("an open run without rows made %d pages", len(got))
	}
	if got := write(c, 1000, true, nil, []byte("k")); len(got) != 1 || got[0].info.RawSize != 0 || got[0].info.Through != 77 {
		t.Errorf("a run without rows made %+v", got)
	}
}

// A run without rows can end with a page that covers its range, or with an empty one.
func TestCover(t *testing.T) {
	c := newCodec(t)
	for _, compress := range []bool{false, true} {
		var pages []stored
		w := NewWriter(c, 1000, compress, func(upper []byte, info Info, seal Seal) {
			upper = bytes.Clone(upper)
			pages = append(pages, stored{upper, seal(nil, append([]byte("p"), upper...)), info})
		})
		w.Begin(77)
		w.Cover([]byte("k"))
		w.Begin(77)
		w.Add([]byte("l"), row.NewFragment())
		w.Cover([]byte("m"))
		w.Begin(77)
		w.Finish([]byte("n"))
		if len(pages) != 3 || pages[0].info.RawSize != CoverSize || pages[0].info.HasTimes || string(pages[1].upper) != "m" || pages[2].info.RawSize != 0 {
			t.Fatalf("pages %+v", pages)
		}
		r := NewReader(c)
		for i, rows := range []int{0, 1, 0} {
			if err := r.Load(append([]byte("p"), pages[i].upper...), pages[i].sealed); err != nil {
				t.Fatal(err)
			}
			if r.Info() != pages[i].info || r.Info().Through != 77 {
				t.Errorf("page %d says %+v", i, r.Info())
			}
			for name, move := range map[string]func() error{"First": r.First, "Last": r.Last,
				"SeekGE": func() error { return r.SeekGE([]byte("a")) }, "SeekLT": func() error { return r.SeekLT([]byte("z")) }} {
				if err := move(); err != nil || r.Valid() != (rows > 0) {
					t.Errorf("%s in page %d of %d rows: valid %v, %v", name, i, rows, r.Valid(), err)
				}
			}
		}
	}
}

func TestDamage(t *testing.T) {
	c := newCodec(t)
	p := write(c, 1000, true, genItems.Example(3), []byte("zz"))[0]
	key := append([]byte("p"), p.upper...)
	r := NewReader(c)
	for i := range p.sealed {
		bad := bytes.Clone(p.sealed)
		bad[i] ^= 0x10
		if r.Load(key, bad) == nil {
			t.Errorf("loads with byte %d changed", i)
		}
		if _, err := Stat(key, bad); err == nil {
			t.Errorf("Stat accepts it with byte %d changed", i)
		}
	}
	if r.Load([]byte("other"), p.sealed) == nil {
		t.Error("loads under another key")
	}
}

// FuzzReader feeds arbitrary bodies with a right checksum to the reader.
func FuzzReader(f *testing.F) {
	c := newCodec(f)
	for i := range 5 {
		for _, compress := range []bool{true, false} {
			for _, p := range write(c, 500, compress, genItems.Example(i), []byte("zzz")) {
				f.Add(p.sealed[4:], []byte("common/prefix/0000100"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body, key []byte) {
		if len(body) > 1<<20 {
			return
		}
		sealed := append(row.BeginSeal(nil), body...)
		row.EndSeal([]byte("k"), sealed)
		r := NewReader(c)
		if r.Load([]byte("k"), sealed) != nil {
			return
		}
		var fragment row.Fragment
		for _, move := range []struct{ start, step func() error }{{r.First, r.Next}, {r.Last, r.Prev},
			{func() error { return r.SeekGE(key) }, r.Next}, {func() error { return r.SeekLT(key) }, r.Prev}} {
			err := move.start()
			for n := 0; err == nil && r.Valid() && n < 1000; n++ {
				_ = row.DecodeBody(r.Body(), r.Reference(), &fragment)
				_ = r.Key()
				err = move.step()
			}
		}
	})
}

func BenchmarkSeek(b *testing.B) {
	c := newCodec(b)
	var items []item
	for i := range 100 {
		f := *row.NewFragment()
		f.Liveness.Timestamp = int64(i)
		items = append(items, item{fmt.Sprintf("user/word/%012d.JavaMail.example", i*7919), f})
	}
	p := write(c, 1<<20, true, items, []byte("zzz"))[0]
	key, seek := append([]byte("p"), p.upper...), []byte(items[50].key)
	r := NewReader(c)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Load(key, p.sealed); err != nil {
			b.Fatal(err)
		}
		if err := r.SeekGE(seek); err != nil || !r.Valid() {
			b.Fatal(err)
		}
	}
}

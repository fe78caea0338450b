package row

import "testing"

func BenchmarkMerge(b *testing.B) {
	var fragments []*Fragment
	for version := range int64(4) {
		f := NewFragment()
		f.Liveness.Timestamp = version
		for c := range uint32(10) {
			f.Cells = append(f.Cells, Cell{Column: c, Timestamp: version + int64(c)%3, Value: []byte("some value")})
		}
		fragments = append(fragments, f)
	}
	var m Merger
	b.ReportAllocs()
	for b.Loop() {
		m.Merge(fragments)
	}
}

func BenchmarkBody(b *testing.B) {
	f := NewFragment()
	f.Liveness.Timestamp = 1_700_000_000_000_000
	for c := range uint32(10) {
		f.Cells = append(f.Cells, Cell{Column: c, Timestamp: f.Liveness.Timestamp, Value: []byte("some value")})
	}
	body := AppendBody(nil, f, 0)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			body = AppendBody(body[:0], f, 0)
		}
	})
	b.Run("decode", func(b *testing.B) {
		var out Fragment
		b.ReportAllocs()
		for b.Loop() {
			if err := DecodeBody(body, 0, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

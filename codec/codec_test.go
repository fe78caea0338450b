package codec

import (
	"encoding/binary"
	"testing"
)

func TestReaderTakesWhatWasAppended(t *testing.T) {
	b := binary.AppendVarint(binary.AppendUvarint(nil, 300), -7)
	b = AppendBytes(append(b, 1), "text")
	r := NewReader(b)
	if u, v, flag, s := r.Uvarint(), r.Varint(), r.Bool(), r.String(); u != 300 || v != -7 || !flag || s != "text" {
		t.Errorf("read %d, %d, %t, %q", u, v, flag, s)
	}
	if err := r.End(); err != nil || r.Len() != 0 {
		t.Errorf("%v, %d bytes left", err, r.Len())
	}
}

func TestReaderFailsForGood(t *testing.T) {
	for name, read := range map[string]func(*Reader){
		"bytes":  func(r *Reader) { r.Bytes() },
		"string": func(r *Reader) { _ = r.String() },
		"bool":   func(r *Reader) { r.Bool() },
		"count":  func(r *Reader) { r.Count(1) },
		"take":   func(r *Reader) { r.Take(4) },
		"less":   func(r *Reader) { r.Take(-1) },
	} {
		r := NewReader([]byte{5, 1, 2})
		read(r)
		if !r.Failed() || r.End() == nil || r.Len() != 0 || r.Uvarint() != 0 || r.Bytes() != nil {
			t.Errorf("%s: it goes on behind a mistake", name)
		}
	}
}

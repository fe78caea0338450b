package peer

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/iliumdb/ilium/ring"
)

func sampleHello() *hello {
	return &hello{min: 1, max: 3, class: classBulk, compress: true, self: ring.HostID{1}, want: ring.HostID{2}, cluster: "orders"}
}

func sampleWelcome() *welcome {
	return &welcome{version: 1, compress: true, self: ring.HostID{2}, cluster: "orders"}
}

func TestGreetings(t *testing.T) {
	for name, m := range map[string]*hello{
		"full": sampleHello(), "empty": {min: 1, max: 1}, "long": {min: 1, max: 1, cluster: strings.Repeat("x", maxCluster)},
		"version": {min: 2, max: 9},
	} {
		body, err := readGreeting(bytes.NewReader(m.append(nil)))
		if err != nil {
			t.Fatal(name, err)
		}
		var got hello
		if err := got.parse(body); err != nil || got != *m {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if len(m.append(nil)) > 1024 {
			t.Errorf("%s: too long", name)
		}
	}
	for name, m := range map[string]*welcome{
		"full": sampleWelcome(), "refused": {refusal: refusedCluster, cluster: strings.Repeat("y", maxCluster), reason: strings.Repeat("x", maxReason)},
	} {
		body, err := readGreeting(bytes.NewReader(m.append(nil)))
		if err != nil {
			t.Fatal(name, err)
		}
		var got welcome
		if err := got.parse(body); err != nil || got != *m {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestBrokenGreetings(t *testing.T) {
	change := func(f func([]byte) []byte) []byte { return f(sampleHello().append(nil)) }
	tests := map[string]struct {
		bytes []byte
		want  string
	}{
		"HTTP":    {[]byte("GET / HTTP/1.1\r\n\r\n"), "no node of this database"},
		"I":       {[]byte("INVITE sip:"), "no node of this database"},
		"TLS":     {[]byte{0x16, 3, 1, 2, 0, 1, 0}, "speaks TLS"},
		"alert":   {[]byte{0x15, 3, 1, 0, 2, 2, 70}, "speaks TLS"},
		"empty":   {nil, "EOF"},
		"cut":     {change(func(b []byte) []byte { return b[:20] }), "EOF"},
		"short":   {change(func(b []byte) []byte { b[4], b[5] = 5, 0; return b }), "broken"},
		"long":    {change(func(b []byte) []byte { b[4], b[5] = 0xff, 0xff; return b }), "broken"},
		"damaged": {change(func(b []byte) []byte { b[10]++; return b }), "damaged"},
		"more":    {appendGreeting(nil, append(bytesOf(sampleHello()), 0)), "broken"},
		"less":    {appendGreeting(nil, bytesOf(sampleHello())[:12]), "broken"},
		"text":    {(&hello{min: 1, max: 1, cluster: "\xff"}).append(nil), "broken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			body, err := readGreeting(bytes.NewReader(test.bytes))
			if err == nil {
				err = new(hello).parse(body)
			}
			if err == nil || !strings.Contains(excuseOf(err), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	if err := new(welcome).parse((&welcome{version: 9}).append(nil)[6:]); err == nil {
		t.Error("a version that was not offered")
	}
}

// bytesOf returns the body of a hello.
func bytesOf(m *hello) []byte {
	b := m.append(nil)
	return b[6 : len(b)-4]
}

func excuseOf(err error) string {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return "EOF"
	}
	return err.Error()
}

func FuzzHandshake(f *testing.F) {
	f.Add(sampleHello().append(nil))
	f.Add(sampleWelcome().append(nil))
	f.Add([]byte("GET / HTTP/1.0\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		body, err := readGreeting(r)
		if read := len(b) - r.Len(); read > 1024 {
			t.Fatalf("%d bytes were read", read)
		}
		if err != nil {
			body = b // random bytes do not find a checksum
		}
		var m hello
		if m.parse(body) == nil && m.fits() {
			var again hello
			if got, err := readGreeting(bytes.NewReader(m.append(nil))); err != nil || again.parse(got) != nil || again != m {
				t.Fatalf("%+v, then %+v, %v", m, again, err)
			}
		}
		var w welcome
		if w.parse(body) == nil && len(w.reason) <= maxReason {
			var again welcome
			if got, err := readGreeting(bytes.NewReader(w.append(nil))); err != nil || again.parse(got) != nil || again != w {
				t.Fatalf("%+v, then %+v, %v", w, again, err)
			}
		}
	})
}

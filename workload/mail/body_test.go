package mail

import (
	"encoding/base64"
	"mime/quotedprintable"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEntityText(t *testing.T) {
	check := func(raw, want string) {
		t.Helper()
		m, err := parseMessage([]byte("From: a@b\n"+raw), origin{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Body != want {
			t.Errorf("%q:\n got %q\nwant %q", raw, m.Body, want)
		}
	}
	const alternative = "Content-Type: multipart/alternative; boundary=b\n\n"
	const plain, html = "--b\nContent-Type: text/plain\n\nplain\n", "--b\nContent-Type: text/html\n\n<i>html</i>\n"
	check(alternative+plain+html+"--b--\n", "plain")
	check(alternative+html+plain+"--b--\n", "plain")
	check(alternative+html+"--b--\n", "html")
	check(alternative+"--b\n\n  \n"+html+"--b--\n", "html") // an empty plain part
	check(alternative+plain, "plain")                       // the last delimiter is missing
	check(alternative+plain+"--b--\n"+html, "plain")
	check("Content-Type: multipart/mixed; boundary=b\n\n"+html+plain+"--b--\n", "html\nplain")
	check("Content-Type: multipart/mixed; boundary=\"b c\"\n\n--b c\n\nx\n--b c--", "x")
	check("Content-Type: multipart/mixed\n\n--b\n\nx\n", "--b\n\nx") // no boundary
	check("Content-Type: text/plain; charset\n\nx", "x")
	check("Content-Type: text/plain; charset=utf-8; charset=utf-8\n\nx", "x")
	check("Content-Type: text/html; charset=utf-8; =\n\n<b>x</b>", "x")
	check("Content-Type: text\n\nx", "x")
	check("Content-Type: application/pdf\n\nx", "")
	check("Content-Type: text/plain\nContent-Disposition: ATTACHMENT; filename=x\n\nx", "")
	check("Content-Type: text/plain\nContent-Disposition: inline\n\nx", "x")
	check("Content-Transfer-Encoding: BASE64\n\naGVsbG8=\n", "hello")
	check("Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\n/v8AaAD2", "hö")
	check("\none\r\ntwo\rthree\x00\n\n", "one\ntwo\nthree")
	// Parts nested deeper than any mail are left out, not followed.
	deep := strings.Repeat("Content-Type: message/rfc822\n\n", maxPartDepth+1)
	check(deep+"Subject: x\n\ntoo deep", "")
	check(strings.Repeat("Content-Type: message/rfc822\n\n", maxPartDepth)+"Subject: x\n\njust right", "just right")
}

func TestDecodeTransfer(t *testing.T) {
	check := func(encoding, in, want string) {
		t.Helper()
		if got := string(decodeTransfer(encoding, []byte(in))); got != want {
			t.Errorf("%s %q: %q, want %q", encoding, in, got, want)
		}
	}
	check("7bit", "a=41", "a=41")
	check("base64", "aGVs\r\nbG8=", "hello")
	check("base64", "aG!Vs bG8", "hello") // damage, and no padding
	check("base64", "aGVsbG8=aGVsbG8=", "hello")
	check("base64", "aGVsb", "hel")
	check("base64", "", "")
	check("quoted-printable", "a=41=\nb=\r\nc", "aAbc")
	check("quoted-printable", "a  \nb", "a\nb")
	check("quoted-printable", "100=25 =zz =4", "100% =zz =4")
	check("quoted-printable", "=c3=A9=", "é")
}

// What the standard library encodes, decodes to the same.
func TestDecodeTransferAgainstStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		if got := decodeTransfer("base64", []byte(base64.StdEncoding.EncodeToString(data))); string(got) != string(data) {
			t.Errorf("base64 of %q: %q", data, got)
		}
		var encoded strings.Builder
		w := quotedprintable.NewWriter(&encoded)
		w.Binary = true
		_, err := w.Write(data)
		if err != nil || w.Close() != nil {
			t.Fatal("writing to memory failed")
		}
		if got := decodeTransfer("quoted-printable", []byte(encoded.String())); string(got) != string(data) {
			t.Errorf("quoted-printable of %q: %q", data, got)
		}
	})
}

func TestStripHTML(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := stripHTML(in); got != want {
			t.Errorf("stripHTML(%q) = %q, want %q", in, got, want)
		}
	}
	check("", "")
	check("plain  text\n here", "plain text here")
	check("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree")
	check("f<b>o</b>o", "foo")
	check("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc")
	check("a<!-- <p>no</p> -->b", "ab")
	check("a<!-- never closed", "a")
	check("a<script>if (a < b) { x('</p>') }</script>b<STYLE>p{}</style >c", "a b c")
	check("a<script>never closed", "a")
	check(`<a title="x > y" href='z'>link</a>`, "link")
	check("1 < 2 > 0, a<5", "1 < 2 > 0, a<5")
	check("&lt;b&gt; &amp;nbsp; &uuml;&#228;&#x4e00; &nosuch; a&nbsp;b", "<b> &nbsp; üä一 &nosuch; a b")
	check("cut off <a href", "cut off")
	check("<", "<")
	check("<?xml version='1.0'?><!DOCTYPE html><body>x</body>", "x")
	check("x<br/>y<hr />z", "x\ny\nz")
}

package mail

import (
	"errors"
	"net/mail"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var fileTime = time.Date(2019, time.March, 31, 12, 0, 0, 0, time.UTC)

func readTestdata(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func utc(t testing.TB, text string) time.Time {
	t.Helper()
	date, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return date.UTC()
}

func TestParseMessage(t *testing.T) {
	check := func(file string, want Message) {
		t.Helper()
		want.User, want.Folder = "bruno", "inbox"
		from := origin{user: "bruno", folder: "inbox", modified: fileTime}
		for _, data := range []string{
			string(readTestdata(t, "messages", file)),
			strings.ReplaceAll(string(readTestdata(t, "messages", file)), "\n", "\r\n"),
		} {
			got, err := parseMessage([]byte(data), from)
			if err != nil {
				t.Fatal(err)
			}
			if want.ID == "" {
				got.ID = "" // depends on the line ends
			}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("%s:\n got %q\nwant %q", file, *got, want)
			}
		}
	}
	check("plain.eml", Message{
		ID: "loom.1@loom.example", From: "ada@loom.example", To: []string{"bruno@mill.example", "dora@mill.example"},
		CC: []string{"egon@mill.example", "fritz@mill.example"}, Date: utc(t, "2019-03-05T08:15:00Z"),
		Subject: "Yarn for the second week", Body: "The blue yarn arrives on Monday.\n\nAda",
	})
	check("multipart.eml", Message{
		ID: "mill.2@mill.example", From: "juergen@mill.example", To: []string{"ada@loom.example"},
		Date: utc(t, "2019-03-06T18:00:00Z"), Subject: "Grüße aus der Mühle", Body: "Schöne Grüße\n\nSent from the mill",
	})
	check("html.eml", Message{
		ID: "shop.3@loom.example", From: "shop@loom.example", To: []string{"bruno@mill.example"},
		Date: utc(t, "2019-03-07T12:01:00Z"), Subject: "Sale", Body: "Wool & cotton\n20 per cent off\ntoday",
	})
	check("japanese.eml", Message{
		ID: "orimono.4@orimono.example", From: "hana@orimono.example", To: []string{"ada@loom.example"},
		Date: utc(t, "2019-03-08T03:00:00Z"), Subject: "織物の注文", Body: "青い糸をください。",
	})
	check("forwarded.eml", Message{
		ID: "mill.5@mill.example", From: "bruno@mill.example", To: []string{"dora@mill.example"},
		Date: utc(t, "2019-03-09T10:00:00Z"), Subject: "Fwd: Yarn", Body: "See below.\nThe red yarn is late.",
	})
	check("broken.eml", Message{
		From: "ada@loom.example", To: []string{"bruno@mill.example", "dora@mill.example"},
		Date: fileTime, Subject: "Half price =?utf-8?q?=ZZ?=",
	})
}

// A message without an id must get the same one in every run and in every kind of container.
func TestMissingMessageID(t *testing.T) {
	check := func(field, raw, want string) {
		t.Helper()
		if got := messageID(field, []byte(raw)); got != want {
			t.Errorf("messageID(%q) = %q, want %q", field, got, want)
		}
	}
	const made = "250cf4d29121b0536d6644ad4b475a65@missing-message-id.invalid"
	check("<a@b>", "", "a@b")
	check(" <a@b> (comment)", "", "a@b")
	check("<a\t@b>", "", "a@b")
	check("a@b", "", "a@b")
	check("", "Subject: x\n\nbody\n", made)
	check("<>", "Subject: x\n\nbody\n\n", made)
	check("<"+strings.Repeat("x", maxNameBytes+1)+">", "Subject: x\n\nbody", made)
	if other := messageID("", []byte("Subject: x\n\nbodY\n")); other == made {
		t.Error("different messages get the same id")
	}
}

func TestParseMessageRefuses(t *testing.T) {
	check := func(raw string, want string) {
		t.Helper()
		m, err := parseMessage([]byte(raw), origin{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: message %v, error %v, want %q", raw, m, err, want)
		}
	}
	check("", "no header field")
	check("\n\nSubject: too late\n", "no header field")
	check("\x00\x01\x02 binary : data", "no header field")
	check("To: "+strings.Repeat("a@b.example, ", 100_000)+"\n\n", `header field "To" has more than 1048576 bytes`)
	check(strings.Repeat("Cc: "+strings.Repeat("x", 1000)+"\n", 2000), `header field "Cc"`)
}

func TestHeader(t *testing.T) {
	check := func(raw, wantSubject, wantContent string) {
		t.Helper()
		head, content, err := parseHeader([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := head.get(fieldSubject); got != wantSubject || string(content) != wantContent {
			t.Errorf("%q: subject %q, content %q", raw, got, content)
		}
	}
	check("Subject: a\n\nb", "a", "b")
	check("Subject: a\r\n\r\nb", "a", "b")
	check("SUBJECT : a\n\nb", "a", "b")
	check("Subject:a\nSubject: second\n\nb", "a", "b")
	check("Subject: a\n b\n\tc\n\nd", "a b\tc", "d")
	check("Subject: a\nno field at all\nb", "a", "no field at all\nb") // the blank line is missing
	check("From someone\n>From other\n folded\nSubject: a\n\nb", "a", "b")
	check("Subject: a", "a", "")
	check("Subject: gr\xfc\xdfe\n\n", "grüße", "") // windows-1252
	check("Subject: grüße\n\n", "grüße", "")
	check("\nSubject: a\n\nb", "", "Subject: a\n\nb")
}

func TestDecodeWords(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		if got := decodeWords(in); got != want {
			t.Errorf("decodeWords(%q) = %q, want %q", in, got, want)
		}
	}
	check("plain", "plain")
	check("=?utf-8?q?a_b?= =?utf-8?q?c?=", "a bc")
	check("=?KOI8-R?B?8NLJ18XU?=", "Привет")
	check("=?windows-1251?Q?=CF=F0=E8?=", "При")
	check("=?gb18030?B?xOO6ww==?=", "你好")
	check("=?shift_jis?B?g2WDWINn?=", "テスト")
	check("=?euc-kr?B?x9GxuQ==?=", "한국")
	check("=?iso-8859-2?Q?=B9?=", "š")
	check("=?iso-8859-15?Q?=A4?=", "€")
	check("=?x-unknown?Q?caf=E9?=", "café")
	check("=?x-unknown?Q?caf=C3=A9?=", "café")
	check("=?utf-8?q?unclosed", "=?utf-8?q?unclosed")
}

func TestDecodeCharset(t *testing.T) {
	check := func(label, in, want string) {
		t.Helper()
		if got := decodeCharset(label, []byte(in)); got != want {
			t.Errorf("decodeCharset(%q, %q) = %q, want %q", label, in, got, want)
		}
	}
	check("UTF-8", "ok \xff", "ok \uFFFD")
	check("us-ascii", "caf\xe9", "café") // mislabelled
	check("us-ascii", "café", "café")
	check("windows-1252", "\x93quoted\x94", "“quoted”")
	check(" ISO-8859-1 ", "\xe9", "é")
	check("cp932", "\x83e", "テ")
	check("cp936", "\xc4\xe3", "你")
	check("cp949", "\xc7\xd1", "한")
	check("iso-2022-kr", "only ascii", "only ascii") // known but refused by browsers
	check("nonsense", "\x80", "€")
}

func TestAddresses(t *testing.T) {
	check := func(in string, want ...string) {
		t.Helper()
		if got := addresses(in); !reflect.DeepEqual(got, want) {
			t.Errorf("addresses(%q) = %q, want %q", in, got, want)
		}
	}
	check("")
	check("a@b.example", "a@b.example")
	check("A B <a@b>, c@d", "a@b", "c@d")
	check(`"Last, First" <a@b>; c@d`, "a@b", "c@d")
	check(`"not@this.example" <a@b>`, "a@b")
	check(`"a@b" `, "a@b")
	check("'a@b' <'a@b'>", "a@b")
	check("a@b (c@d, e@f), g@h", "a@b", "g@h")
	check("(nested (comment)) a@b", "a@b")
	check("team: a@b, c@d;, e@f", "a@b", "c@d", "e@f")
	check("undisclosed-recipients:;")
	check("<@relay,@relay2:a@b>", "a@b")
	check("<mailto:a@b>", "a@b")
	check("Name <a@b, Other <c@d>", "a@b", "c@d")
	check(`"Open quote <a@b>, c@d`, "a@b", "c@d")
	check("(open comment <a@b>, c@d", "a@b", "c@d")
	check(`"quoted.local"@b`, "quoted.local@b")
	check(`"with space"@b`)
	check("postmaster, @b, a@, <>, a b")
	check("first.last a@b", "a@b")
	check("=?utf-8?q?Ada_=3Cada=40loom.example=3E?=", "ada@loom.example")
	check("jörg@müller.example", "jörg@müller.example")
	check(strings.Repeat("x", 400) + "@b")
}

// net/mail is the judge of lists that are well-formed.
func TestAddressesAgainstNetMail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		atom := rapid.StringMatching(`[a-zA-Z0-9!#$%&*+/=?^_{|}~-]{1,12}(\.[a-z0-9-]{1,8})?`)
		name := rapid.StringMatching(`[ -~äöüß]{0,20}`)
		var written []string
		for range rapid.IntRange(1, 6).Draw(t, "entries") {
			a := mail.Address{Name: name.Draw(t, "name"), Address: atom.Draw(t, "local") + "@" + atom.Draw(t, "domain")}
			written = append(written, a.String())
		}
		list := strings.Join(written, rapid.SampledFrom([]string{",", ", ", " , "}).Draw(t, "comma"))
		parsed, err := mail.ParseAddressList(list)
		if err != nil {
			t.Skip("net/mail refuses its own output")
		}
		var want []string
		for _, a := range parsed {
			want = append(want, a.Address)
		}
		if got := addresses(list); !reflect.DeepEqual(got, want) {
			t.Errorf("addresses(%q) = %q, want %q", list, got, want)
		}
	})
}

// Every parser takes time linear in its input: the test would run for hours otherwise.
func TestHostileInputIsLinear(t *testing.T) {
	for _, pattern := range []string{
		`"`, `\"`, "(", `(\`, "<", "<@", "a@b,", ` "(<`, "=?", "=?utf-8?q?a?= ", "&", "&#", "<a", `<a "`, "<!--", "</",
		"<script></scrip", "; a=b", ";a*1*=x", "a:\n", "To:a\n", "\n--b", "=", "\r", "(\n(",
	} {
		input := strings.Repeat(pattern, maxFieldBytes/len(pattern))
		addresses(input)
		decodeWords(input)
		stripHTML(input)
		contentType("text/plain" + input)
		parseDate(input)
		Words(nil, input)
		raw := "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + input
		if _, err := parseMessage([]byte(raw), origin{}); err != nil {
			t.Errorf("%q: %v", pattern, err)
		}
		if _, err := parseMessage([]byte(input), origin{}); err != nil && !errors.Is(err, ErrTooLarge) && !strings.Contains(err.Error(), "no header field") {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

package mail

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestWords(t *testing.T) {
	check := func(text string, want ...string) {
		t.Helper()
		if got := Words(nil, text); !reflect.DeepEqual(got, want) {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
	}
	check("")
	check("12:30 -- #1, 50%\n")
	check("already lower case", "already", "lower", "case")
	check("Re: FW: Yarn\nYARN", "re", "fw", "yarn", "yarn")
	check("don't e-mail b2b@x.example", "don", "t", "e", "mail", "b", "b", "x", "example")
	check("Grüße GRÜSSE grüße", "grüsse", "grüsse", "grüsse")
	check("cafe\u0301 CAFE\u0301 café", "café", "café", "café")
	check("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ", "σίσυφοσ")
	check("Привет, мир", "привет", "мир")
	check("\u212Aelvin ﬁx", "kelvin", "fix") // Kelvin sign, ligature
	check("السَّلام عليكم", "السَّلام", "عليكم")
	check("नमस्ते दुनिया।", "नमस्ते", "दुनिया")
	check("안녕 세계", "안녕", "세계")
	check(norm.NFD.String("안녕 が"), "안녕", "が")
	check("東京とparis", "東", "京", "と", "paris")
	check("paris東京", "paris", "東", "京")
	check("カタカナ ひらカナ", "カタカナ", "ひ", "ら", "カナ")
	check("漢\ufe00字", "漢\ufe00", "字") // with a variation selector
	check("ภาษาไทย", "ภาษาไทย")
	check("x\u0301\u0302y \u0301z 1\u0301w", "x\u0301\u0302y", "z", "w") // marks need a letter
	check("a≠b =\u0338c", "a", "b", "c")
	check("a\xffb\xc3", "a", "b")
}

func TestWordsAppends(t *testing.T) {
	got := Words([]string{"before"}, "and after")
	if !slices.Equal(got, []string{"before", "and", "after"}) {
		t.Errorf("got %q", got)
	}
}

func TestLongWords(t *testing.T) {
	check := func(word, want string) {
		t.Helper()
		if got := Words(nil, "a "+word+" b"); len(got) != 3 || got[1] != want || got[2] != "b" {
			t.Errorf("Words with %.20q: %d words, the second has %d bytes", word, len(got), len(got[1]))
		}
	}
	check(strings.Repeat("x", 255), strings.Repeat("x", 255))
	check(strings.Repeat("x", 256), strings.Repeat("x", 255))
	check(strings.Repeat("ä", 200), strings.Repeat("ä", 127))
	check(strings.Repeat("ไ", 100), strings.Repeat("ไ", 85))
}

func TestDistinctWords(t *testing.T) {
	if got := DistinctWords("B a", "c A b"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
	if got := DistinctWords("wor", "d"); !slices.Equal(got, []string{"d", "wor"}) {
		t.Errorf("subject and body run together: %q", got)
	}
}

func TestCorrespondents(t *testing.T) {
	check := func(m Message, want ...string) {
		t.Helper()
		if got := Correspondents(&m); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %q, want %q", m, got, want)
		}
	}
	check(Message{})
	check(Message{From: "c@x"}, "c@x")
	check(Message{From: "c@x", To: []string{"b@x", "c@x"}, CC: []string{"a@x", "b@x"}}, "c@x", "b@x", "a@x")
	check(Message{To: []string{"b@x"}}, "b@x")
	m := Message{To: []string{"b@x", "a@x"}, CC: []string{"a@x", "d@x"}}
	Correspondents(&m)
	if m.To[0] != "b@x" || m.CC[0] != "a@x" {
		t.Error("the message is changed")
	}
}

// texts draws strings full of what makes segmentation and normalization hard.
func texts() *rapid.Generator[string] {
	hard := []rune("aZéßİıŉǰſKÅΣςΐᾳᾼǅﬁ漢々〆ひカーが안각ᄀ ᅡᆨกำनक़ः\u0301\u0300\u0345\u0323\u3099\u309a\u200d\u00ad\ufe0f\u20dd0٣≠=.-\n\u0338ªʼ𝒜🙂\U0001E900\uF900\u2F800\u0958\u0387")
	return rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom(hard)), rapid.StringOf(rapid.SampledFrom([]rune("abZ 1.-é"))))
}

func TestWordsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, other := texts().Draw(t, "text"), texts().Draw(t, "other")
		words := Words(nil, text)
		same := func(what string, got []string) {
			t.Helper()
			if !slices.Equal(got, words) {
				t.Errorf("%s of %+q: %+q, want %+q", what, text, got, words)
			}
		}
		same("NFC", Words(nil, norm.NFC.String(text)))
		same("NFD", Words(nil, norm.NFD.String(text)))
		same("lines around", Words(nil, "\n"+text+"\n"))
		if both := Words(nil, text+" "+other); !slices.Equal(both, Words(words[:len(words):len(words)], other)) {
			t.Errorf("%+q and %+q together: %+q", text, other, both)
		}
		rest := fold(text)
		for _, word := range words {
			checkWord(t, word)
			_, after, found := strings.Cut(rest, word)
			if !found {
				t.Errorf("word %+q does not follow in %+q", word, text)
			}
			rest = after
		}
	})
}

// checkWord checks what holds for every word.
func checkWord(t interface{ Errorf(string, ...any) }, word string) {
	if len(word) == 0 || len(word) > MaxWordBytes || !utf8.ValidString(word) || !norm.NFC.IsNormalString(word) {
		t.Errorf("word %+q: %d bytes, or not valid, or not NFC", word, len(word))
	}
	letters := 0
	for i, r := range word {
		if unicode.IsLetter(r) {
			letters++
		} else if i == 0 || !unicode.IsMark(r) {
			t.Errorf("word %+q holds %+q", word, r)
		}
		if isSingleLetterWord(r) && unicode.IsLetter(r) && (i > 0 || letters > 1) {
			t.Errorf("word %+q holds a letter that stands alone", word)
		}
	}
	if again := Words(nil, word); len(again) != 1 || again[0] != word {
		t.Errorf("the words of the word %+q are %+q", word, again)
	}
}

// On ASCII the rule is the one by which the Enron mail was counted.
func TestWordsOfASCII(t *testing.T) {
	run := regexp.MustCompile("[a-z]+")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom(nil, &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0, Hi: 0x7f, Stride: 1}}})).Draw(t, "text")
		if got, want := Words(nil, text), run.FindAllString(strings.ToLower(text), -1); !slices.Equal(got, want) {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
	})
}

func TestWordsCaseProperty(t *testing.T) {
	letters := []rune("abczäöüßéèçøåñœабвгдежзийёαβγδεσςώϊ .")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom(letters)).Draw(t, "text")
		if upper := strings.ToUpper(text); !slices.Equal(Words(nil, upper), Words(nil, text)) {
			t.Errorf("%q and %q differ: %q, %q", text, upper, Words(nil, text), Words(nil, upper))
		}
	})
}

// Letters that differ in case only give the same word, in every script.
func TestWordsFoldEveryLetter(t *testing.T) {
	for r := range unicode.MaxRune {
		if !unicode.IsLetter(r) {
			continue
		}
		want := Words(nil, string(r))
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if got := Words(nil, string(other)); !slices.Equal(got, want) {
				t.Errorf("%U gives %+q, %U gives %+q", r, want, other, got)
			}
		}
		for _, word := range want {
			checkWord(t, word)
		}
	}
}

func TestWordsDoesNotAllocateForLowerCaseASCII(t *testing.T) {
	text := strings.Repeat("all of this is in lower case, 100%. ", 20)
	dst := make([]string, 0, 1000)
	if n := testing.AllocsPerRun(100, func() { dst = Words(dst[:0], text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	upper := strings.ToUpper(text)
	if n := testing.AllocsPerRun(100, func() { dst = Words(dst[:0], upper) }); n != 1 {
		t.Errorf("%v allocations for upper case, want the folded copy only", n)
	}
}

func benchmarkWords(b *testing.B, text string) {
	text = strings.ToValidUTF8(strings.Repeat(text, 2048/len(text)+1)[:2048], "")
	var dst []string
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		dst = Words(dst[:0], text)
	}
}

func BenchmarkWordsASCII(b *testing.B) {
	benchmarkWords(b, "The blue yarn arrives on Monday, and 20 spools of the red yarn a week later. ")
}

func BenchmarkWordsMixed(b *testing.B) {
	benchmarkWords(b, "Grüße aus der Mühle, Привет, мир; the blue yarn; Καλημέρα κόσμε. 青い糸をください नमस्ते 안녕 ")
}

func BenchmarkDistinctWords(b *testing.B) {
	g := Generate(GeneratorOptions{Seed: 1})
	var m *Message
	for range 5 {
		var err error
		if m, err = g.Next(); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(m.Subject) + len(m.Body)))
	b.ReportAllocs()
	for b.Loop() {
		DistinctWords(m.Subject, m.Body)
	}
}

package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// language is the recipe for one invented language. No word of it is taken from anywhere: words are syllables drawn
// at random, so a real word is a coincidence.
type language struct {
	weight                 int // share of the mailboxes, out of languageWeights
	vocabulary             int // number of words
	onsets, nuclei, codas  string
	start, end             string // of words, put there now and then
	comma, stop            string
	spaceless              bool // words stand side by side
	syllable               func(d dice) string
	oneSyllable, syllables int // ranks that have one syllable; most syllables of a word
}

const languageWeights = 20

// languages lists the languages, the most common first. Among their letters are those that fold or compose in
// a way of their own: ß, final sigma, Devanagari with nukta, Arabic with vowel marks.
func languages() []language {
	return []language{
		{
			weight: 8, vocabulary: 60_000, oneSyllable: 300, syllables: 3, comma: ", ", stop: ".",
			onsets: "b c d f g h l m n p r s t v w k j - st tr pl br cl sh th ch",
			nuclei: "a e i o u a e i o ea ou ai",
			codas:  "- - - - - n r s t l n r s t m nd ck st",
		}, {
			weight: 3, vocabulary: 40_000, oneSyllable: 200, syllables: 3, comma: ", ", stop: ".",
			onsets: "b c ç d f g l m n ñ p qu r s t v br tr pl cr j",
			nuclei: "a e i o u é è ê á à ó í ú ô œ ei ão",
			codas:  "- - - - n r s l x",
		}, {
			weight: 2, vocabulary: 40_000, oneSyllable: 200, syllables: 3, comma: ", ", stop: ".",
			onsets: "b č d f g h k l m n p r ř s š t v z ž ł sch st pr kr w",
			nuclei: "a e i o u ä ö ü ů y ą ę å ø",
			codas:  "- - - - n r s t l n ß ch st ń",
		}, {
			weight: 2, vocabulary: 40_000, oneSyllable: 200, syllables: 3, comma: ", ", stop: ".",
			onsets: "б в г д ж з к л м н п р с т ф х ц ч ш щ ст пр вз",
			nuclei: "а е и о у ы я ю ё э а о и",
			codas:  "- - - - й н т л м р с сть ь",
		}, {
			weight: 1, vocabulary: 30_000, oneSyllable: 200, syllables: 3, comma: ", ", stop: ".", end: "ς",
			onsets: "β γ δ ζ θ κ λ μ ν ξ π ρ σ τ φ χ ψ στ πρ τρ",
			nuclei: "α ε η ι ο υ ω ά έ ή ί ό ύ ώ αι ει οι ου ϊ",
			codas:  "- - - - ν ρ λ",
		}, {
			weight: 1, vocabulary: 30_000, oneSyllable: 100, syllables: 3, comma: "، ", stop: ".", start: "ال",
			onsets: "ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه و ي أ",
			nuclei: "- - ا و ي َ ُ ِ",
			codas:  "- - ب ت د ر س ل م ن ة ّ",
		}, {
			weight: 1, vocabulary: 30_000, oneSyllable: 200, syllables: 3, comma: ", ", stop: "।",
			onsets: "क ख ग घ च छ ज ट ड त थ द ध न प फ ब भ म य र ल व श स ह क़ ज़ फ़ क्ष त्र प्र",
			nuclei: "- - ा ि ी ु ू े ै ो ौ",
			codas:  "- - - ं ँ र न ल",
		}, {
			weight: 1, vocabulary: 20_000, oneSyllable: 600, syllables: 2, comma: "，", stop: "。", spaceless: true, syllable: hanSyllable,
		}, {
			weight: 1, vocabulary: 30_000, oneSyllable: 300, syllables: 3, comma: ", ", stop: ".", syllable: hangulSyllable,
		},
	}
}

// hanSyllable returns one of the first 4,000 unified ideographs, low ones more often.
func hanSyllable(d dice) string { return string(rune(0x4e00 + d.below(d.between(1, 4000)))) }

// hangulSyllable composes a leading consonant, a vowel and, in half of the cases, a trailing consonant
// (Unicode, section 3.12).
func hangulSyllable(d dice) string {
	trailing := 0
	if d.chance(50) {
		trailing = d.below(28)
	}
	return string(rune(0xac00 + (d.below(19)*21+d.below(21))*28 + trailing))
}

// vocabulary is the word list of one language, the most frequent word first. Words are invented when they are
// first needed; two ranks may share one.
type vocabulary struct {
	language
	seed  uint64
	words []string
}

func newVocabulary(l language, seed uint64) *vocabulary {
	if l.syllable == nil {
		l.syllable = syllables(l)
	}
	return &vocabulary{language: l, seed: seed, words: make([]string, l.vocabulary)}
}

// word returns the word of a rank.
func (v *vocabulary) word(rank int) string {
	if v.words[rank] == "" {
		v.words[rank] = v.invent(rank, newDice(v.seed, diceWord, uint64(rank)))
	}
	return v.words[rank]
}

// syllables returns a drawer of onset, nucleus and coda; "-" in a list is nothing.
func syllables(l language) func(dice) string {
	lists := [3][]string{strings.Fields(l.onsets), strings.Fields(l.nuclei), strings.Fields(l.codas)}
	return func(d dice) string {
		var s strings.Builder
		for _, list := range lists {
			if sound := list[d.below(len(list))]; sound != "-" {
				s.WriteString(sound)
			}
		}
		return s.String()
	}
}

// invent makes a word for a rank. Frequent words are short, as in any language.
func (l language) invent(rank int, d dice) string {
	n := 1
	switch {
	case rank >= 50*l.oneSyllable:
		n = d.between(min(2, l.syllables), l.syllables)
	case rank >= l.oneSyllable:
		n = min(2, l.syllables)
	}
	var word strings.Builder
	if l.start != "" && rank >= l.oneSyllable && d.chance(25) {
		word.WriteString(l.start)
	}
	for range n {
		word.WriteString(l.syllable(d))
	}
	if l.end != "" && d.chance(25) {
		word.WriteString(l.end)
	}
	return word.String()
}

// appendCapitalized appends word with an upper-case first letter, where the script has one.
func appendCapitalized(dst []byte, word string) []byte {
	first, size := utf8.DecodeRuneInString(word)
	dst = utf8.AppendRune(dst, unicode.ToUpper(first))
	return append(dst, word[size:]...)
}

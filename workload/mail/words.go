package mail

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxWordBytes is the length at which Words cuts a word. A word is a clustering column of the term index,
// where a key has a hard limit of 64 KiB, and mail holds runs of encoded data that no one searches for: 255
// bytes keep every real word whole and every key small.
const MaxWordBytes = 255

// Words appends the words of text to dst, in order and with repeats, and returns the extended slice.
//
// A word is a maximal run of letters, each with the combining marks that follow it. Everything else separates
// words: digits, punctuation, symbols, spaces, and marks that follow no letter. Han and Hiragana are written without
// spaces, so each of their letters is a word by itself; other scripts keep their runs. Words are case-folded in
// full (ß is ss) and in Unicode form NFC, so texts that a reader cannot tell apart give the same words. A word is
// cut at a letter so as not to exceed MaxWordBytes.
//
// The words share the memory of one folded copy of text, or of text itself if it is lower-case ASCII. Words is
// safe for concurrent use.
func Words(dst []string, text string) []string {
	text = fold(text)
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case isASCIILetter(c):
			end := wordEnd(text, i+1)
			dst = append(dst, cutWord(text[i:end]))
			i = end
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRuneInString(text[i:])
			if !unicode.IsLetter(r) {
				i += size
				continue
			}
			end := i + size
			if isSingleLetterWord(r) {
				end = marksEnd(text, end)
			} else {
				end = wordEnd(text, end)
			}
			dst = append(dst, cutWord(text[i:end]))
			i = end
		}
	}
	return dst
}

// DistinctWords returns the words of a message, sorted and without repeats.
func DistinctWords(subject, body string) []string {
	const bytesPerWord = 6 // with its separator, in most languages
	words := Words(make([]string, 0, (len(subject)+len(body))/bytesPerWord+1), subject)
	words = Words(words, body)
	slices.Sort(words)
	return slices.Compact(words)
}

// fold returns text case-folded and in form NFC. Folding needs NFC first, so that a mark whose fold is
// a letter (U+0345) already stands after the other marks of its letter.
func fold(text string) string {
	upper := false
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			return norm.NFC.String(strings.Map(foldCherokee, cases.Fold().String(norm.NFC.String(text))))
		}
		upper = upper || 'A' <= c && c <= 'Z'
	}
	if upper {
		return strings.ToLower(text)
	}
	return text
}

// foldCherokee folds the one script whose small letters fold to capital ones (Unicode, CaseFolding.txt).
// x/text v0.28.0 exchanges the two instead.
func foldCherokee(r rune) rune {
	switch {
	case 0xAB70 <= r && r <= 0xABBF:
		return r - 0xAB70 + 0x13A0
	case 0x13F8 <= r && r <= 0x13FD:
		return r - 8
	}
	return r
}

// wordEnd returns the end of the run of letters and marks that goes on at i.
func wordEnd(text string, i int) int {
	for i < len(text) {
		c := text[i]
		if c < utf8.RuneSelf {
			if !isASCIILetter(c) {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsMark(r) && (!unicode.IsLetter(r) || isSingleLetterWord(r)) {
			return i
		}
		i += size
	}
	return i
}

// marksEnd returns the end of the combining marks that start at i.
func marksEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsMark(r) {
			return i
		}
		i += size
	}
	return i
}

// cutWord shortens word to MaxWordBytes at a rune boundary.
func cutWord(word string) string {
	if len(word) <= MaxWordBytes {
		return word
	}
	end := MaxWordBytes
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

func isASCIILetter(c byte) bool { return 'a' <= c && c <= 'z' }

// isSingleLetterWord tells the letters of scripts that do not separate words at all.
func isSingleLetterWord(r rune) bool {
	const firstHan = 0x2E80 // spares the common scripts two searches in tables
	return r >= firstHan && (unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r))
}

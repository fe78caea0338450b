package mail

import (
	"strconv"
	"unicode/utf8"
)

const (
	medianWords  = 100 // of a body
	quotedWords  = 40  // of the message that is answered
	lineWidth    = 72  // in letters
	topicWords   = 400 // words that a thread prefers
	topicPercent = 8   // of the words of a thread
)

// prose writes sentences of one vocabulary.
type prose struct {
	words  *vocabulary
	ranks  zipf
	d      dice
	last   int    // rank of the last word
	topic  int    // first rank of the thread's own words
	prefix string // of each line
	text   []byte
	column int // letters on the current line
}

func (g *Generator) prose(kind diceKind, number uint64, thread draft, words *vocabulary) *prose {
	p := &prose{words: words, ranks: g.ranks, d: newDice(g.opts.Seed, kind, number)}
	p.topic = int(mix(g.opts.Seed^mix(thread.number)) % uint64(len(words.words)-topicWords))
	return p
}

// subject returns the subject of the thread that a message began; one in twenty has none.
func (g *Generator) subject(thread draft, words *vocabulary) string {
	p := g.prose(diceSubject, thread.number, thread, words)
	if p.d.chance(5) {
		return ""
	}
	p.sentence(p.d.between(2, 7), "")
	return string(p.text)
}

// write returns the body of a message: a greeting, paragraphs, a name, and the start of what it answers.
func (g *Generator) write(about, thread draft, sender int, words *vocabulary) string {
	p := g.prose(diceBody, about.number, thread, words)
	p.text = g.body[:0]
	length := p.d.logNormal(medianWords)
	if p.d.chance(60) {
		p.text = append(appendCapitalized(p.text, p.word()), ",\n\n"...)
	}
	p.paragraphs(length)
	if p.d.chance(70) {
		p.text = append(p.text, "\n\n"...)
		p.text = appendCapitalized(p.text, g.people.firstName(sender))
	}
	if about.number != thread.number {
		// The same dice as for the body that is quoted, so these are its words.
		quote := g.prose(diceBody, thread.number, thread, words)
		length := quote.d.logNormal(medianWords)
		quote.prefix = "> "
		quote.text = append(p.text, "\n\n> "...)
		if quote.d.chance(60) {
			quote.text = append(appendCapitalized(quote.text, quote.word()), ",\n> \n> "...)
		}
		quote.paragraphs(min(length, quotedWords))
		p.text = quote.text
	}
	g.body = p.text
	return string(p.text)
}

// paragraphs writes n words.
func (p *prose) paragraphs(n int) {
	for n > 0 {
		for sentences := p.d.between(2, 6); sentences > 0 && n > 0; sentences-- {
			length := min(n, p.d.between(3, 20))
			p.sentence(length, p.words.stop)
			n -= length
			if !p.words.spaceless && n > 0 {
				p.text = append(p.text, ' ')
			}
		}
		if n > 0 {
			p.breakLine()
			p.breakLine()
		}
	}
}

// sentence writes n words, the first with a capital, and closes them with stop.
func (p *prose) sentence(n int, stop string) {
	for i := range n {
		if i > 0 {
			p.separate()
		}
		switch {
		case i == 0:
			p.text = appendCapitalized(p.text, p.word())
		case p.d.below(40) == 0:
			p.text = strconv.AppendInt(p.text, int64(p.d.logNormal(300)), 10)
		default:
			p.text = append(p.text, p.word()...)
		}
	}
	p.text = append(p.text, stop...)
}

// separate writes what stands between two words of a sentence.
func (p *prose) separate() {
	if p.d.chance(8) {
		p.text = append(p.text, p.words.comma...)
	} else if !p.words.spaceless {
		p.text = append(p.text, ' ')
	}
	if p.column >= lineWidth {
		p.breakLine()
	}
}

func (p *prose) breakLine() {
	for len(p.text) > 0 && p.text[len(p.text)-1] == ' ' {
		p.text = p.text[:len(p.text)-1]
	}
	p.text = append(append(p.text, '\n'), p.prefix...)
	p.column = 0
}

// word draws a word: most by the frequency of the language, some from the topic of the thread.
func (p *prose) word() string {
	rank := p.ranks.draw(p.d, len(p.words.words))
	if rank == p.last { // no language says the same word twice that often
		rank = p.ranks.draw(p.d, len(p.words.words))
	}
	p.last = rank
	if p.d.chance(topicPercent) {
		rank = p.topic + p.ranks.draw(p.d, topicWords)
	}
	word := p.words.word(rank)
	p.column += utf8.RuneCountInString(word) + 1
	return word
}

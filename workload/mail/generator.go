package mail

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"
)

// GeneratorOptions says what to invent. Fields below 1 take the default; Seed has none.
type GeneratorOptions struct {
	Seed      uint64 // equal options give equal messages, on every machine
	Messages  int64  // default 10,000
	Mailboxes int    // default 50
}

// Generator invents mail. Message n depends on the options and n only, apart from which earlier message of the
// mailbox it answers. It keeps 40 bytes for each mailbox and the words of the languages used so far
// (about 15 MB). Its methods are for one goroutine.
//
// What comes out, by design:
//
//   - Mailboxes: mailbox k holds a share proportional to 1/(k+1). Of 1,000 mailboxes the first holds 13 %, the
//     ten largest 39 %, the last one thousandth of the first.
//   - Correspondents: the contact of rank r of a mailbox takes part proportionally to 1/(r+1), r below 4,096. Most mail
//     goes to one or two people, one message in a hundred to dozens or hundreds. Outgoing mail is 26 %, mailing lists 8 %.
//   - Words: rank-frequency as 1/(r+1) in nine invented languages in Latin (three languages), Cyrillic, Greek, Arabic,
//     Devanagari, Han and Hangul script. Two mailboxes of five write plain ASCII; up to a quarter of the mail of
//     each mailbox is in another language than the rest.
//   - Lengths: log-normal, median 100 words, one message in seventy over a thousand.
//   - Dates: ascending over five years from 2019-01-07 in the rhythm of office hours, except that one in
//     twenty is up to a day late.
//   - Threads: four in ten messages answer one of the last four threads of their mailbox, and quote its start.
type Generator struct {
	opts      GeneratorOptions
	people    people
	ranks     zipf
	languages []language
	spoken    []*vocabulary // by language, nil until needed
	recent    [][recentThreads]uint64
	next      uint64
	body      []byte // reused
	closed    bool
}

const (
	recentThreads = 4
	maxContacts   = 4096
	maxVocabulary = 60_000
)

// Generate returns a generator at its first message.
func Generate(opts GeneratorOptions) *Generator {
	if opts.Messages < 1 {
		opts.Messages = 10_000
	}
	if opts.Mailboxes < 1 {
		opts.Mailboxes = 50
	}
	g := &Generator{
		opts:      opts,
		people:    newPeople(opts.Seed, opts.Mailboxes),
		ranks:     newZipf(max(opts.Mailboxes, maxVocabulary)),
		languages: languages(),
		recent:    make([][recentThreads]uint64, opts.Mailboxes),
	}
	g.spoken = make([]*vocabulary, len(g.languages))
	return g
}

// draft is what a message is about, before any word of it is invented. It is a function of the message's number.
type draft struct {
	number   uint64
	mailbox  int
	kind     messageKind
	language int
	contact  int  // rank of the contact, or of the list
	answers  bool // wants to answer a thread
	thread   int  // which of the recent ones
}

type messageKind int

const (
	incoming messageKind = iota
	outgoing
	listed
)

// Next returns the next message, and io.EOF after the last.
func (g *Generator) Next() (*Message, error) {
	about, thread, err := g.advance()
	if err != nil {
		return nil, err
	}
	m := &Message{User: g.people.user(about.mailbox), Date: g.date(about.number)}
	sender := g.address(about, thread, m)
	m.ID = fmt.Sprintf("%x.%08x@%s", about.number, uint32(mix(g.opts.Seed^mix(about.number))), g.people.domain(sender))
	words := g.vocabulary(thread.language)
	m.Subject = g.subject(thread, words)
	if about.number != thread.number && m.Subject != "" {
		m.Subject = "Re: " + m.Subject
	}
	m.Body = g.write(about, thread, sender, words)
	return m, nil
}

// Skip moves past the next n messages without inventing them. It fails if there are fewer, or if n is negative.
func (g *Generator) Skip(n int64) error {
	if n < 0 {
		return fmt.Errorf("mail: cannot skip %d messages", n)
	}
	for range n {
		if _, _, err := g.advance(); err == io.EOF {
			return fmt.Errorf("mail: cannot skip to a message: the generator ends after %d: %w", g.opts.Messages, io.ErrUnexpectedEOF)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// Position returns how many messages Next and Skip have passed.
func (g *Generator) Position() int64 { return int64(g.next) }

// Size returns the number of messages, where a Source counts bytes.
func (g *Generator) Size() int64 { return g.opts.Messages }

// Offset returns how many messages of Size are passed.
func (g *Generator) Offset() int64 { return g.Position() }

// Fingerprint identifies the mail that comes out: the options, and the version of the recipe.
func (g *Generator) Fingerprint() string {
	return fmt.Sprintf("generated-1-%d-%d-%d", g.opts.Seed, g.opts.Messages, g.opts.Mailboxes)
}

// Close ends the generator. It never fails.
func (g *Generator) Close() error {
	g.closed = true
	return nil
}

// advance takes the next number and returns its draft, and the draft of the message that began the thread: the same
// one, unless it answers.
func (g *Generator) advance() (about, thread draft, err error) {
	if g.closed {
		return draft{}, draft{}, errors.New("mail: the generator is closed")
	}
	if g.next >= uint64(g.opts.Messages) {
		return draft{}, draft{}, io.EOF
	}
	about = g.draft(g.next)
	g.next++
	recent := &g.recent[about.mailbox]
	if first := recent[about.thread]; about.answers && first > 0 {
		return about, g.draft(first - 1), nil
	}
	copy(recent[1:], recent[:])
	recent[0] = about.number + 1 // 0 means none
	return about, about, nil
}

// draft draws everything in a fixed order, whether needed or not, so that it depends on the number alone.
func (g *Generator) draft(number uint64) draft {
	d := newDice(g.opts.Seed, diceDraft, number)
	about := draft{number: number, mailbox: g.ranks.draw(d, g.opts.Mailboxes), contact: g.ranks.draw(d, maxContacts)}
	switch n := d.below(100); {
	case n < 28:
		about.kind = outgoing
	case n < 36:
		about.kind = listed
		about.contact %= 8
	}
	about.language = g.language(newDice(g.opts.Seed, diceMailbox, uint64(about.mailbox)))
	if foreign := g.language(d); d.chance(25) {
		about.language = foreign
	}
	about.answers = d.chance(45)
	about.thread = d.below(1 + d.below(recentThreads)) // the newer, the likelier
	return about
}

// language draws a language by weight.
func (g *Generator) language(d dice) int {
	point := d.below(languageWeights)
	for i, l := range g.languages {
		if point -= l.weight; point < 0 {
			return i
		}
	}
	panic("mail: the weights of the languages do not add up")
}

// vocabulary returns the words of a language and invents them at the first use.
func (g *Generator) vocabulary(language int) *vocabulary {
	if g.spoken[language] == nil {
		g.spoken[language] = newVocabulary(g.languages[language], mix(g.opts.Seed^mix(uint64(language))))
	}
	return g.spoken[language]
}

// address fills in From, To, CC and Folder, and returns the sender.
func (g *Generator) address(about, thread draft, m *Message) (sender int) {
	d := newDice(g.opts.Seed, dicePeople, about.number)
	owner, contact := about.mailbox, g.people.contact(about.mailbox, thread.contact)
	extras := 0
	switch {
	case d.chance(1):
		extras = d.between(30, 300)
	default:
		for extras < 12 && d.chance(40) {
			extras++
		}
	}
	for range extras {
		other := g.people.address(g.people.contact(owner, g.ranks.draw(d, maxContacts)))
		if d.chance(50) {
			m.CC = append(m.CC, other)
		} else {
			m.To = append(m.To, other)
		}
	}
	m.CC = distinctAddresses(m.CC)
	m.Folder = g.folder(owner, thread, d)
	first := owner
	switch {
	case thread.kind == listed:
		sender = g.people.contact(owner, g.ranks.draw(d, maxContacts))
		list, name := g.people.list(owner, thread.contact)
		m.From, m.To = g.people.address(sender), []string{list}
		m.Folder = "lists/" + name
		return sender
	case about.kind == outgoing:
		sender, first = owner, contact
		m.Folder = "sent"
	default:
		sender = contact
	}
	m.From = g.people.address(sender)
	m.To = distinctAddresses(append([]string{g.people.address(first)}, m.To...))
	return sender
}

// folder returns where an owner keeps the incoming mail of a contact.
func (g *Generator) folder(owner int, thread draft, d dice) string {
	switch n := d.below(100); {
	case n < 60:
		return "inbox"
	case n < 80:
		return "archive"
	default:
		return "projects/" + g.people.lastName(g.people.contact(owner, -100-thread.contact%16))
	}
}

// Weeks of the mail, from a Monday on.
const generatedWeeks = 260

// hourWeight returns how much mail comes in an hour of the week, in units of the quietest hour.
func hourWeight(hour int) uint64 {
	day, hour := hour/24, hour%24
	switch {
	case day >= 5 && hour >= 9 && hour < 22:
		return 3
	case hour < 7 || hour >= 22:
		return 1
	case day >= 5:
		return 1
	case hour >= 9 && hour < 12 || hour >= 13 && hour < 17:
		return 14
	default:
		return 6
	}
}

// date returns when message number arrives: its share of all mail, measured out along the hours.
func (g *Generator) date(number uint64) time.Time {
	const hours = 7 * 24
	var week uint64 // weight of a week, each second counting
	for hour := range hours {
		week += hourWeight(hour) * 3600
	}
	d := newDice(g.opts.Seed, diceDate, number)
	const fraction = 1 << 16 // of the share of one message
	high, low := bits.Mul64(number*fraction+d.below64(fraction), generatedWeeks*week)
	point, _ := bits.Div64(high, low, uint64(g.opts.Messages)*fraction)
	seconds := point / week * hours * 3600
	point %= week
	for hour := range hours {
		weight := hourWeight(hour)
		if point < weight*3600 {
			seconds += point / weight
			break
		}
		point -= weight * 3600
		seconds += 3600
	}
	date := time.Date(2019, time.January, 7, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
	if d.chance(5) {
		date = date.Add(-time.Duration(d.below(24*3600)) * time.Second) // sent earlier, arrived late
	}
	return date
}

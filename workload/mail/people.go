package mail

import "fmt"

// people invents the persons of a Generator: the owners of the mailboxes are numbers 0 to mailboxes-1, the outsiders
// follow. A person is a function of the seed and the number, so none is kept in memory.
type people struct {
	seed      uint64
	mailboxes int
	all       int // owners and outsiders
	syllables int // of a last name
	names     int // last names of that many syllables; at least all
}

const (
	nameConsonants = "bcdfghjklmnprstvwxyz"
	nameVowels     = "aeiou"
	nameSyllables  = len(nameConsonants) * len(nameVowels)
)

func newPeople(seed uint64, mailboxes int) people {
	p := people{seed: seed, mailboxes: mailboxes, all: 31*mailboxes + 1000, syllables: 2, names: nameSyllables * nameSyllables}
	for p.names < p.all {
		p.syllables++
		p.names *= nameSyllables
	}
	return p
}

// lastName returns a name that no other person has: the number, scattered over all names, in syllables for digits.
func (p people) lastName(person int) string {
	const step = 7919 // a prime that does not divide names, a power of 100: no two numbers meet
	n := (person*step + int(mix(p.seed)%uint64(p.names))) % p.names
	name := make([]byte, 0, 2*p.syllables)
	for range p.syllables {
		digit := n % nameSyllables
		name = append(name, nameConsonants[digit/len(nameVowels)], nameVowels[digit%len(nameVowels)])
		n /= nameSyllables
	}
	return string(name)
}

// firstName returns a name that others may have as well.
func (p people) firstName(person int) string {
	d := newDice(p.seed, dicePerson, uint64(person))
	name := make([]byte, 0, 8)
	for range d.between(1, 2) {
		name = append(name, nameConsonants[d.below(len(nameConsonants))], nameVowels[d.below(len(nameVowels))])
	}
	return string(append(name, "nlrsk"[d.below(5)]))
}

// user returns the name of a mailbox, last name first.
func (p people) user(owner int) string {
	return p.lastName(owner) + "-" + p.firstName(owner)[:1]
}

// domain returns the domain of a person. Fifty mailboxes share one; ".example" is reserved (RFC 2606), so no
// invented address reaches anyone.
func (p people) domain(person int) string {
	if person < p.mailboxes {
		return p.lastName(p.all-1-person/50) + ".example"
	}
	host := int(newDice(p.seed, dicePerson, uint64(person)).below64(uint64(p.all/20 + 1)))
	return p.lastName(host) + "-mail.example"
}

func (p people) address(person int) string {
	return p.firstName(person) + "." + p.lastName(person) + "@" + p.domain(person)
}

// contact returns the person who is number rank among those the owner of a mailbox deals with. Four
// in ten are owners of other mailboxes.
func (p people) contact(mailbox, rank int) int {
	d := newDice(mix(p.seed^uint64(mailbox)), diceContact, uint64(rank))
	person := p.mailboxes + d.below(p.all-p.mailboxes)
	if d.chance(40) {
		person = d.below(p.mailboxes)
	}
	if person == mailbox {
		return p.mailboxes // not oneself
	}
	return person
}

// list returns the address of mailing list number rank of a mailbox, and its name.
func (p people) list(mailbox, rank int) (address, name string) {
	host := p.contact(mailbox, -1-rank)
	name = p.lastName(host)
	return fmt.Sprintf("%s-list@%s", name, p.domain(host)), name
}

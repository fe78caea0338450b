package mail

import "strings"

// maxAddressBytes is the longest address SMTP carries: 64 for the local part, "@", 255 for the domain
// (RFC 5321 section 4.5.3.1).
const maxAddressBytes = 64 + 1 + 255

// addresses returns the addresses of an address list (RFC 5322 section 3.4), without display names and in the
// order of the list. net/mail refuses a whole list for one bad entry; this scanner drops the entry only, and takes
// time linear in the list.
func addresses(list string) []string {
	found := scanAddresses(list)
	if found == nil && strings.Contains(list, "=?") {
		return scanAddresses(decodeWords(list)) // some programs encode the address with the name
	}
	return found
}

// addressScanner collects one entry of a list at a time.
type addressScanner struct {
	rest      string
	token     strings.Builder // text outside of <> up to white space
	candidate string          // first token of the entry that is an address
	angle     string          // last address of the entry inside of <>
	found     []string

	// Set once a quote or comment is never closed: from there on its opening character is ordinary
	// text. It also keeps the scan linear.
	quoteOpen, commentOpen bool
}

func scanAddresses(list string) []string {
	s := addressScanner{rest: list}
	for len(s.rest) > 0 {
		s.step()
	}
	s.endEntry()
	return s.found
}

// step consumes one token.
func (s *addressScanner) step() {
	switch c := s.rest[0]; {
	case c == '"' && !s.quoteOpen:
		n := quotedBytes(s.rest)
		s.quoteOpen = n == 0
		s.token.WriteString(s.take(n))
	case c == '(' && !s.commentOpen:
		n := commentBytes(s.rest)
		s.commentOpen = n == 0
		s.take(n)
		s.endToken()
	case c == '<':
		s.stepAngle()
	case c == ',' || c == ';':
		s.endEntry()
		s.take(1)
	case c == ':': // what stood before names a group
		s.reset()
		s.take(1)
	case c == ' ' || c == '\t':
		s.endToken()
		s.take(1)
	default:
		s.token.WriteByte(c)
		s.take(1)
	}
}

// stepAngle consumes <address>.
func (s *addressScanner) stepAngle() {
	s.endToken()
	s.take(1)
	ends := ">,;" // a comma means that ">" was forgotten
	if strings.HasPrefix(s.rest, "@") {
		ends = ">" // obsolete source route: <@relay,@relay:user@host>
	}
	end := strings.IndexAny(s.rest, ends)
	if end < 0 {
		end = len(s.rest)
	}
	inner := s.take(end)
	if strings.HasPrefix(inner, "@") || len(inner) > 7 && strings.EqualFold(inner[:7], "mailto:") {
		_, inner, _ = strings.Cut(inner, ":")
	}
	if a := cleanAddress(inner); a != "" {
		s.angle = a
	}
	s.rest = strings.TrimPrefix(s.rest, ">")
}

func (s *addressScanner) take(n int) string {
	taken := s.rest[:n]
	s.rest = s.rest[n:]
	return taken
}

func (s *addressScanner) endToken() {
	if s.candidate == "" {
		s.candidate = cleanAddress(s.token.String())
	}
	s.token.Reset()
}

// endEntry adds the address of the entry, if there is one.
func (s *addressScanner) endEntry() {
	s.endToken()
	if s.angle != "" {
		s.found = append(s.found, s.angle)
	} else if s.candidate != "" {
		s.found = append(s.found, s.candidate)
	}
	s.reset()
}

func (s *addressScanner) reset() {
	s.token.Reset()
	s.candidate, s.angle = "", ""
}

// quotedBytes returns the length of the quoted string at the start of text, or 0 if it is never closed.
func quotedBytes(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// commentBytes returns the length of the comment at the start of text, with the comments in it, or 0 if it is never closed.
func commentBytes(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// cleanAddress returns text as an address without the quotes that programs put around it, or "" if it is none.
func cleanAddress(text string) string {
	text = strings.Trim(strings.TrimSpace(text), "'") // around a whole quoted address
	if unquoted, ok := strings.CutPrefix(text, `"`); ok && strings.HasSuffix(unquoted, `"`) {
		text = strings.TrimSuffix(unquoted, `"`)
	}
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 || len(text) > maxAddressBytes {
		return ""
	}
	local, domain := text[:at], text[at+1:]
	if quotedBytes(local) == len(local) && local[0] == '"' {
		local = strings.ReplaceAll(local[1:len(local)-1], `\`, "")
	}
	local, domain = strings.TrimLeft(local, "'"), strings.TrimRight(domain, "'")
	if !isPlain(local) || !isPlain(domain) {
		return ""
	}
	return local + "@" + domain
}

// isPlain reports whether a half of an address is free of white space and of the characters that structure a list.
func isPlain(half string) bool {
	for _, c := range half {
		if c <= ' ' || c == 0x7f || strings.ContainsRune(`"<>(),;:\`, c) {
			return false
		}
	}
	return half != ""
}

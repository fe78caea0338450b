package shell

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/coordinator/consistency"
)

// A command carries out a statement that is meant for the shell. quit ends the shell.
type command func(ctx context.Context, statement string) (quit bool)

// maxSourceDepth ends files that SOURCE each other.
const maxSourceDepth = 16

// command returns what carries out statements that begin with a word, nil if that is the server.
func (s *shell) command(word string) command {
	name := strings.ToUpper(word)
	on := func(do func(words []string)) command {
		return func(_ context.Context, statement string) bool {
			do(splitWords(statement)[1:])
			return false
		}
	}
	with := func(do func(ctx context.Context, words []string)) command {
		return func(ctx context.Context, statement string) bool {
			do(ctx, splitWords(statement)[1:])
			return false
		}
	}
	switch name {
	case "HELP", "?":
		return on(s.help)
	case "DESCRIBE", "DESC":
		return func(ctx context.Context, statement string) bool { s.describe(ctx, statement); return false }
	case "CONSISTENCY":
		return on(s.setConsistency)
	case "SERIAL":
		return on(s.setSerialConsistency)
	case "TRACING":
		return on(func(words []string) { s.setSwitch(name, &s.tracing, words) })
	case "EXPAND":
		return on(func(words []string) { s.setSwitch(name, &s.expand, words) })
	case "PAGING":
		return on(s.setPaging)
	case "SOURCE":
		return with(s.source)
	case "SHOW":
		return with(s.show)
	case "LOGIN":
		return with(s.login)
	case "CLEAR", "CLS":
		return on(func([]string) { s.clear() })
	case "EXIT", "QUIT":
		return func(context.Context, string) bool { return true }
	case "COPY", "CAPTURE", "DEBUG", "HISTORY", "UNICODE":
		return on(func([]string) { s.fail("%s is a command of cqlsh that this shell does not have.", name) })
	default:
		return nil
	}
}

// isCommand reports whether the shell itself carries out statements that begin with a word.
func (s *shell) isCommand(word string) bool { return s.command(word) != nil }

// splitWords cuts a command into its words, without comments and the semicolon. Quoted words keep their quotes.
func splitWords(statement string) []string {
	var words []string
	for {
		statement = skipBlank(statement)
		if statement == "" {
			return words
		}
		end := 0
		switch c := statement[0]; {
		case c == ';':
			return words
		case c == '\'' || c == '"':
			end = quotedEnd(statement, c)
		default:
			end = strings.IndexAny(statement, " \t\r\n;'\"")
			if end < 0 {
				end = len(statement)
			}
		}
		words = append(words, statement[:end])
		statement = statement[end:]
	}
}

// quotedEnd returns where the quoted word ends with which a text begins.
func quotedEnd(text string, quote byte) int {
	for i := 1; i < len(text); i++ {
		if text[i] != quote {
			continue
		}
		if i+1 < len(text) && text[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(text)
}

// unquoted returns what a word stands for that may be quoted.
func unquoted(word string) string {
	for _, quote := range []string{"'", `"`} {
		if len(word) >= 2 && strings.HasPrefix(word, quote) && strings.HasSuffix(word, quote) {
			return strings.ReplaceAll(word[1:len(word)-1], quote+quote, quote)
		}
	}
	return word
}

func (s *shell) improper(name, format string, args ...any) {
	s.fail("Improper %s command: %s.", name, fmt.Sprintf(format, args...))
}

func (s *shell) setConsistency(words []string) {
	s.setLevel("CONSISTENCY", "consistency level", &s.consistency, words, func(l consistency.Level) bool { return l != consistency.NodeLocal })
}

func (s *shell) setSerialConsistency(words []string) {
	if len(words) == 0 || !strings.EqualFold(words[0], "CONSISTENCY") {
		s.improper("SERIAL", "SERIAL CONSISTENCY [level] was expected")
		return
	}
	s.setLevel("SERIAL CONSISTENCY", "serial consistency level", &s.serial, words[1:], consistency.Level.IsSerial)
}

func (s *shell) setLevel(name, what string, level *consistency.Level, words []string, allowed func(consistency.Level) bool) {
	switch len(words) {
	case 0:
		s.printf("Current %s is %s.", what, *level)
		return
	case 1:
	default:
		s.improper(name, "it takes one level, there are %d words", len(words))
		return
	}
	for l := range consistency.NodeLocal + 1 {
		if strings.EqualFold(l.String(), words[0]) && allowed(l) {
			*level = l
			s.printf("%s set to %s.", strings.ToUpper(what[:1])+what[1:], l)
			return
		}
	}
	s.improper(name, "%q is not a %s", words[0], what)
}

// setSwitch carries out commands that take ON or OFF.
func (s *shell) setSwitch(name string, value *bool, words []string) {
	state := func(on bool) string {
		if on {
			return "ON"
		}
		return "OFF"
	}
	if len(words) == 0 {
		s.printf("%s is %s", name, state(*value))
		return
	}
	for _, on := range []bool{true, false} {
		if len(words) == 1 && strings.EqualFold(words[0], state(on)) {
			if *value == on {
				s.printf("%s is already %s", name, state(on))
			} else {
				*value = on
				s.printf("%s set to %s", name, state(on))
			}
			return
		}
	}
	s.improper(name, "it takes ON or OFF, not %q", strings.Join(words, " "))
}

func (s *shell) setPaging(words []string) {
	if len(words) == 1 && words[0][0] >= '0' && words[0][0] <= '9' {
		n, err := strconv.ParseInt(words[0], 10, 32)
		if err != nil || n == 0 {
			s.improper("PAGING", "%q is not a number of rows", words[0])
			return
		}
		s.paging, s.pageSize = true, int32(n)
	} else {
		s.setSwitch("PAGING", &s.paging, words)
	}
	if s.paging {
		s.printf("Page size: %d", s.pageSize)
	} else {
		s.pageSize = defaultPageSize
	}
}

// source carries out the statements of a file.
func (s *shell) source(ctx context.Context, words []string) {
	if len(words) != 1 || words[0][0] != '\'' {
		s.improper("SOURCE", "it takes the name of a file, in single quotes")
		return
	}
	name := unquoted(words[0])
	path := name
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	if s.depth == maxSourceDepth {
		s.fail("Could not open '%s': files SOURCE each other %d deep", name, maxSourceDepth)
		return
	}
	file, err := os.Open(path)
	if err != nil {
		s.fail("Could not open '%s': %v", name, err)
		return
	}
	defer file.Close()
	terminal := s.terminal
	s.depth++
	s.terminal = false // nobody reads it page by page
	err = s.runScript(ctx, name, file)
	s.terminal = terminal
	s.depth--
	if err != nil {
		s.fail("SOURCE '%s' has ended early: %v", name, err)
	}
}

// login connects anew, as another user. If that fails the connection stays as it is.
func (s *shell) login(ctx context.Context, words []string) {
	if len(words) != 1 && len(words) != 2 {
		s.improper("LOGIN", "LOGIN user ['password'] was expected")
		return
	}
	before := *s
	s.username = unquoted(words[0])
	if len(words) == 2 {
		s.password = unquoted(words[1])
	} else if !s.readPassword() {
		s.username = before.username
		return
	}
	if err := s.connect(ctx, before.conn.Keyspace()); err != nil {
		s.username, s.password = before.username, before.password
		s.fail("%s", describeError(err, s.timeout))
		return
	}
	_ = before.conn.Close() // nothing is in flight on it
}

// readPassword asks for the password of the user.
func (s *shell) readPassword() bool {
	if s.askPassword == nil {
		s.fail("A password is needed, and there is no terminal to ask for it")
		return false
	}
	password, err := s.askPassword("Password: ")
	if err != nil {
		s.fail("No password was read: %v", err)
		return false
	}
	s.password = password
	return true
}

// clear clears the screen.
func (s *shell) clear() {
	if s.terminal {
		fmt.Fprint(s.out, "\x1b[H\x1b[2J")
	}
}

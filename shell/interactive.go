package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// errTypedEnd ends typing. It is not io.EOF, at which a script's last statement is carried out without its semicolon.
var errTypedEnd = errors.New("nothing more is typed")

// interact carries out what is typed, until Ctrl-D, EXIT or the end of ctx. Ctrl-C drops the statement at the prompt, or
// gives up the one that is carried out.
func (s *shell) interact(ctx context.Context, e *editor, earlier *history) error {
	typed := &typist{editor: e}
	list := newStatements(typed)
	list.endsWithLine = s.isCommand
	typed.prompt = func() string { return s.prompt(list.pending()) }
	s.more = func() bool {
		_, err := e.line("---MORE---")
		return err == nil
	}
	for {
		statement, err := list.next()
		switch {
		case err == errInterrupted:
			continue
		case err == errLongLine:
			s.fail("%v", err)
			continue
		case err == errTypedEnd:
			s.printf("")
			return nil
		case err != nil:
			return err
		}
		if err := earlier.record(statement); err != nil {
			s.fail("Statements are not kept any more: %v", err)
			earlier.path = ""
		}
		if s.runInterruptible(ctx, statement) {
			return nil
		}
	}
}

// runInterruptible carries out a statement until Ctrl-C.
func (s *shell) runInterruptible(ctx context.Context, statement string) (quit bool) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return s.run(ctx, statement)
}

// prompt returns what stands in front of a line.
func (s *shell) prompt(goesOn bool) string {
	prompt := "ilium"
	if s.username != "" {
		prompt = s.username + "@" + prompt
	}
	if keyspace := s.conn.Keyspace(); keyspace != "" {
		prompt += ":" + keyspace
	}
	prompt += "> "
	if goesOn {
		return fmt.Sprintf("%*s", cell{text: prompt}.width(), "... ")
	}
	return prompt
}

// A typist is the reader of what is typed, a line at a time: none is asked for before it is needed.
type typist struct {
	editor *editor
	prompt func() string
	rest   []byte
}

// Read implements io.Reader.
func (t *typist) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		line, err := t.editor.line(t.prompt())
		if err == io.EOF {
			return 0, errTypedEnd
		}
		if err != nil {
			return 0, err
		}
		t.rest = []byte(strings.TrimRight(line, "\r\n") + "\n")
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

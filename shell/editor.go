package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/term"
)

// errInterrupted is what Ctrl-C gives at a prompt: what was typed is dropped.
var errInterrupted = errors.New("interrupted")

// errLongLine is what a line gives of which the end is lost.
var errLongLine = fmt.Errorf("a line at a terminal must be shorter than %d characters, and this one was dropped; "+
	"SOURCE and --file take lines of any length", maxTypedLine)

// maxTypedLine is where the line editor begins to drop characters without a word.
const maxTypedLine = 4096

// interruptKey is what a terminal in raw mode sends for Ctrl-C. The line editor would take it for the end of the input, so
// keys replaces it by keys that empty the line, show interruptLine, and end the line.
const (
	interruptKey  = 0x03
	interruptLine = "^C"
	lineEnd       = "\x05"
	dropLine      = "\x15"
)

// An editor reads lines that people type, with the keys to edit them and to find earlier ones.
type editor struct {
	terminal *term.Terminal
	raw      func() (restore func() error, err error) // switches the terminal from line by line to key by key
	size     func() (width, height int, err error)
}

// newEditor returns an editor over a terminal. ctx ends waiting for keys.
func newEditor(ctx context.Context, in io.Reader, out io.Writer, earlier *history) *editor {
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keys{ctx: ctx, in: in}, out}, "")
	t.History = earlier
	t.AutoCompleteCallback = spaceForTab
	return &editor{terminal: t}
}

// spaceForTab keeps words apart in what is pasted: without it a tab would be dropped.
func spaceForTab(line string, at int, key rune) (string, int, bool) {
	if key != '\t' {
		return "", 0, false
	}
	return line[:at] + " " + line[at:], at + 1, true
}

// line reads a line. The error is errInterrupted for Ctrl-C and io.EOF for Ctrl-D.
func (e *editor) line(prompt string) (string, error) {
	return e.read(func() (string, error) {
		e.terminal.SetPrompt(prompt)
		return e.terminal.ReadLine()
	})
}

// password reads a line that is not shown and not kept.
func (e *editor) password(prompt string) (string, error) {
	return e.read(func() (string, error) { return e.terminal.ReadPassword(prompt) })
}

func (e *editor) read(do func() (string, error)) (line string, err error) {
	if e.raw != nil {
		restore, err := e.raw()
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, restore()) }()
	}
	if e.size != nil {
		if width, height, err := e.size(); err == nil && width > 0 {
			_ = e.terminal.SetSize(width, height) // it only fails with the output
		}
	}
	line, err = do()
	switch {
	case err != nil:
		return "", err
	case line == interruptLine:
		return "", errInterrupted
	case utf8.RuneCountInString(line) >= maxTypedLine:
		return "", errLongLine
	default:
		return line, nil
	}
}

// keys is a terminal's input of which reading ends with a context: a terminal in raw mode has to be set back before the
// process ends.
type keys struct {
	ctx     context.Context
	in      io.Reader
	chunks  chan chunk // what a goroutine is reading
	reading bool
	rest    []byte
	err     error
}

type chunk struct {
	data []byte
	err  error
}

// Read implements io.Reader.
func (k *keys) Read(p []byte) (int, error) {
	if len(k.rest) == 0 {
		k.fill()
	}
	if len(k.rest) == 0 {
		return 0, k.err
	}
	n := copy(p, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}

// fill waits for keys, or for the end of ctx. The goroutine stays when ctx ends first, for no read of a terminal can be
// broken off; the next fill takes what it has read.
func (k *keys) fill() {
	if !k.reading {
		k.reading = true
		k.chunks = make(chan chunk, 1)
		go func() {
			buffer := make([]byte, 4096)
			n, err := k.in.Read(buffer)
			k.chunks <- chunk{buffer[:n], err}
		}()
	}
	select {
	case c := <-k.chunks:
		k.reading = false
		k.rest = bytes.ReplaceAll(c.data, []byte{interruptKey}, []byte(lineEnd+dropLine+interruptLine+"\r"))
		k.err = c.err
	case <-k.ctx.Done():
		k.err = k.ctx.Err()
	}
}

package mail

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// defaultMaxMessageBytes is the largest message read unless Options says otherwise.
const defaultMaxMessageBytes = 64 << 20

// Options tunes Open. Zero fields take the default.
type Options struct {
	User            string // owner of mbox and Maildir mail; default: from the file name, see the package comment
	MaxMessageBytes int    // largest message or JSON line, uncompressed; default 64 MiB
}

// container reads the messages of one file or one Maildir folder.
type container interface {
	// next returns the next message, io.EOF at the end, a *MessageError with no Ordinal for a message
	// that can be passed over, or any other error if the container cannot be read further.
	next() (*Message, error)
	// skip moves past the next message without looking into it; errors are those of next.
	skip() error
	close() error
}

// Source streams the messages of a file or directory. Its methods are for one goroutine,
// except Offset, which any goroutine may call.
type Source struct {
	path        string
	opts        Options
	parts       []part
	current     container // nil between two parts
	position    int64
	size        int64
	read        atomic.Int64
	fingerprint string
	ignored     []string
	err         error // ends the source
}

// Open looks at path, and at everything below it if it is a directory, and returns a source at its first message.
// It fails if path cannot be read or holds no mail. The caller closes the source.
func Open(path string, opts Options) (*Source, error) {
	if opts.MaxMessageBytes < 0 {
		return nil, fmt.Errorf("mail: the limit of %d bytes per message is negative", opts.MaxMessageBytes)
	}
	if opts.MaxMessageBytes == 0 {
		opts.MaxMessageBytes = defaultMaxMessageBytes
	}
	if len(opts.User) > maxNameBytes {
		return nil, fmt.Errorf("mail: the user's name is longer than %d bytes", maxNameBytes)
	}
	found, err := survey(path, opts)
	if err != nil {
		return nil, err
	}
	return &Source{
		path: path, opts: opts, parts: found.parts, size: found.size,
		fingerprint: found.fingerprint(), ignored: found.ignored,
	}, nil
}

// Next returns the next message and io.EOF after the last. After a *MessageError the next call goes on
// with the message after the damaged one; any other error is final.
func (s *Source) Next() (*Message, error) {
	var m *Message
	err := s.advance(func(c container) (err error) {
		m, err = c.next()
		return err
	})
	return m, err
}

// Skip moves past the next n messages, counting damaged ones, faster than Next would. With
// n = Position() of an earlier run over the same mail (see Fingerprint) it resumes that run. It fails if the source
// holds fewer messages, or if n is negative.
func (s *Source) Skip(n int64) error {
	if n < 0 {
		return fmt.Errorf("mail: cannot skip %d messages", n)
	}
	for range n {
		err := s.advance(container.skip)
		var damaged *MessageError
		switch {
		case errors.As(err, &damaged):
		case err == io.EOF:
			return fmt.Errorf("mail: cannot skip to a message: %s holds only %d: %w", s.path, s.position, io.ErrUnexpectedEOF)
		case err != nil:
			return err
		}
	}
	return nil
}

// Position returns how many messages Next and Skip have passed, counting damaged ones.
func (s *Source) Position() int64 { return s.position }

// Size returns the number of bytes on disk that the source will read; gzip files count compressed.
func (s *Source) Size() int64 { return s.size }

// Offset returns how many of Size bytes are read so far.
func (s *Source) Offset() int64 { return s.read.Load() }

// Fingerprint identifies the mail cheaply: it hashes the names and sizes of all files, their users, and the head and
// tail of each mbox and JSON lines file. Equal fingerprints mean that a Position carries over. It ignores
// where the path lies, unless users are named after it, and the flags in Maildir file names.
func (s *Source) Fingerprint() string { return s.fingerprint }

// Ignored returns the files below the path that are not read, each with the reason.
func (s *Source) Ignored() []string { return s.ignored }

// Close releases the open file. Next then returns an error.
func (s *Source) Close() error {
	if s.err == nil {
		s.err = fmt.Errorf("mail: %s is closed", s.path)
	}
	return s.closeCurrent()
}

// advance takes one message with step, from the first part that has one left.
func (s *Source) advance(step func(container) error) error {
	for s.err == nil {
		if s.current == nil {
			s.openNext()
			continue
		}
		err := step(s.current)
		var damaged *MessageError
		switch {
		case err == nil:
			s.position++
			return nil
		case errors.As(err, &damaged):
			damaged.Ordinal = s.position
			s.position++
			return damaged
		case err == io.EOF:
			s.err = s.closeCurrent()
		default:
			s.err = err
			s.closeCurrent() // the error that ended the file matters more
		}
	}
	return s.err
}

// openNext opens the next part, or ends the source after the last.
func (s *Source) openNext() {
	if len(s.parts) == 0 {
		s.err = io.EOF
		return
	}
	s.current, s.err = s.parts[0].open(s.opts.MaxMessageBytes, &s.read)
	s.parts = s.parts[1:]
}

func (s *Source) closeCurrent() error {
	if s.current == nil {
		return nil
	}
	err := s.current.close()
	s.current = nil
	return err
}

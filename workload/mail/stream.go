package mail

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

const (
	streamBufferBytes = 64 << 10
	keptBytes         = 1 << 20 // larger buffers are not reused: one huge message must not hold its memory for the rest of the file
	utf8BOM           = "\uFEFF"
)

// errLineTooLong reports a line over the limit of its stream. The stream has moved past the line.
var errLineTooLong = errors.New("line too long")

// stream reads the lines of a plain or gzip file.
type stream struct {
	path   string
	limit  int
	closes []io.Closer
	lines  *bufio.Reader
	long   []byte // collects a line that is larger than the buffer of lines
	start  int64  // uncompressed offset of the line that readLine returned last
	end    int64  // uncompressed offset after that line
}

// countingReader adds what is read to a counter.
type countingReader struct {
	from io.Reader
	read *atomic.Int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// openStream opens a file whose lines have at most limit bytes. The bytes read from disk are added to read.
// Gzip is told by its first two bytes, whatever the name.
func openStream(path string, limit int, read *atomic.Int64) (*stream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	s := &stream{path: path, limit: limit, closes: []io.Closer{f}}
	s.lines = bufio.NewReaderSize(countingReader{f, read}, streamBufferBytes)
	if magic, _ := s.lines.Peek(2); string(magic) != "\x1f\x8b" {
		return s, nil // a read error comes back at the first line
	}
	unzipped, err := gzip.NewReader(s.lines)
	if err != nil {
		f.Close()
		return nil, s.failure(err)
	}
	s.closes = append(s.closes, unzipped)
	s.lines = bufio.NewReaderSize(unzipped, streamBufferBytes)
	return s, nil
}

// head returns the start of the file without moving, at most one buffer. Data is returned in spite of an error.
func (s *stream) head() ([]byte, error) {
	data, err := s.lines.Peek(streamBufferBytes)
	if err == io.EOF {
		err = nil
	}
	if err != nil {
		err = s.failure(err)
	}
	return data, err
}

// readLine returns the next line with its line end, valid until the next call. The last line may lack the line
// end. It returns io.EOF after the last line, errLineTooLong for a line over the limit, else a *FileError.
func (s *stream) readLine() ([]byte, error) {
	s.start = s.end
	if cap(s.long) > keptBytes {
		s.long = nil
	}
	s.long = s.long[:0]
	tooLong := false
	for {
		piece, err := s.lines.ReadSlice('\n')
		s.end += int64(len(piece))
		tooLong = tooLong || len(s.long)+len(piece) > s.limit
		switch {
		case err == bufio.ErrBufferFull:
			if !tooLong {
				s.long = append(s.long, piece...)
			}
			continue
		case err == io.EOF && s.end == s.start:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, s.failure(err)
		case tooLong:
			return nil, errLineTooLong
		case len(s.long) == 0:
			return piece, nil
		default:
			s.long = append(s.long, piece...)
			return s.long, nil
		}
	}
}

// readAll returns the rest of the file, or ErrTooLarge if that is more than the limit of the stream.
func (s *stream) readAll() ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(s.lines, int64(s.limit)+1))
	s.end += int64(len(data))
	switch {
	case err != nil:
		return nil, s.failure(err)
	case len(data) > s.limit:
		return nil, ErrTooLarge
	}
	return data, nil
}

// failure turns an error of the file or of gzip into a FileError.
func (s *stream) failure(err error) *FileError {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		err = fmt.Errorf("the gzip data ends too early: %w", ErrTruncated)
	case errors.Is(err, gzip.ErrHeader):
		err = fmt.Errorf("gzip data is followed by something else, or its header is damaged: %w", err)
	case errors.Is(err, gzip.ErrChecksum):
		err = fmt.Errorf("the gzip data is damaged: %w", err)
	}
	return &FileError{Path: s.path, Offset: s.end, Err: err}
}

func (s *stream) close() error {
	var errs []error
	for _, c := range s.closes {
		errs = append(errs, c.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// format is a way to store messages.
type format string

const (
	formatNone      format = "none"
	formatJSONLines format = "JSON lines"
	formatMbox      format = "mbox"
	formatMaildir   format = "Maildir"
)

// sampleBytes is how much of the head and of the tail of a file goes into the fingerprint.
const sampleBytes = 64 << 10

// part is one container found by a survey: a file, or one folder of a Maildir.
type part struct {
	format format
	path   string
	user   string // for JSON lines, of those objects that name none
	folder string
}

// open returns a container at its first message. It adds the bytes read to read.
func (p part) open(limit int, read *atomic.Int64) (container, error) {
	if p.format == formatMaildir {
		files, err := listMaildir(p.path)
		if err != nil {
			return nil, err
		}
		return &maildir{part: p, files: files, limit: limit, read: read}, nil
	}
	lines, err := openStream(p.path, limit, read)
	if err != nil {
		return nil, err
	}
	if p.format == formatJSONLines {
		return &jsonLines{lines: lines, user: p.user}, nil
	}
	b := &mbox{lines: lines, blank: true, origin: origin{user: p.user, folder: p.folder}}
	if err := b.begin(); err != nil {
		lines.close() // the first error matters more
		return nil, err
	}
	return b, nil
}

// surveyor walks a path and collects what it finds.
type surveyor struct {
	root    string
	opts    Options
	parts   []part
	size    int64
	ignored []string
	hash    hash.Hash
}

// survey finds the mail at path without reading it.
func survey(path string, opts Options) (*surveyor, error) {
	s := &surveyor{root: path, opts: opts, hash: sha256.New()}
	fmt.Fprintf(s.hash, "1\n") // version of what goes into the fingerprint
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	if info.IsDir() {
		err = s.directory(path)
	} else {
		err = s.file(path, info)
	}
	if err != nil {
		return nil, err
	}
	if len(s.parts) > 0 {
		return s, nil
	}
	if len(s.ignored) > 0 {
		return nil, fmt.Errorf("mail: no mail in %s: %s (%d files looked at)", path, s.ignored[0], len(s.ignored))
	}
	return nil, fmt.Errorf("mail: no mail in %s", path)
}

func (s *surveyor) fingerprint() string { return hex.EncodeToString(s.hash.Sum(nil)) }

func (s *surveyor) ignore(path, reason string) {
	s.ignored = append(s.ignored, path+": "+reason)
}

// directory looks at the entries of a directory in the order of their names.
func (s *surveyor) directory(path string) error {
	if isMaildir(path) {
		return s.maildir(path, ownerName(path), "")
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	for _, entry := range entries {
		if err := s.entry(filepath.Join(path, entry.Name()), entry); err != nil {
			return err
		}
	}
	return nil
}

func (s *surveyor) entry(path string, entry os.DirEntry) error {
	hidden := strings.HasPrefix(entry.Name(), ".")
	if entry.IsDir() {
		if hidden && !isMaildir(path) {
			s.ignore(path, "hidden directory")
			return nil
		}
		return s.directory(path)
	}
	if hidden {
		s.ignore(path, "hidden file")
		return nil
	}
	info, err := os.Stat(path) // follows a link
	switch {
	case errors.Is(err, os.ErrNotExist):
		s.ignore(path, "link to nothing")
		return nil
	case err != nil:
		return fmt.Errorf("mail: %w", err)
	case info.IsDir():
		s.ignore(path, "link to a directory") // it could lead in a circle
		return nil
	}
	return s.file(path, info)
}

// file looks at one file and takes it if its format is known.
func (s *surveyor) file(path string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		s.ignore(path, "not a regular file")
		return nil
	}
	if info.Size() == 0 {
		s.ignore(path, "empty file")
		return nil
	}
	kind, err := recognize(path)
	if err != nil {
		return err
	}
	if kind == formatNone {
		s.ignore(path, "neither JSON lines nor mbox")
		return nil
	}
	p := part{format: kind, path: path, user: s.opts.User, folder: s.folderName(path)}
	if kind == formatMbox && p.user == "" {
		p.user = ownerName(path)
		p.folder = inboxFolder
	}
	s.parts = append(s.parts, p)
	s.size += info.Size()
	fmt.Fprintf(s.hash, "%s %q %q %d\n", kind, s.relative(path), p.user, info.Size())
	return sample(s.hash, path, info.Size())
}

// relative returns path as seen from the root, so that a fingerprint survives a move of the whole.
func (s *surveyor) relative(path string) string {
	relative, err := filepath.Rel(s.root, path)
	if err != nil || relative == "." {
		return filepath.Base(path)
	}
	return filepath.ToSlash(relative)
}

// folderName returns the folder that an mbox file stands for when the user is given.
func (s *surveyor) folderName(path string) string {
	return trimSuffixes(s.relative(path))
}

// recognize looks at the first line of a file that is not blank.
func recognize(path string) (format, error) {
	var read atomic.Int64
	lines, err := openStream(path, 0, &read)
	if err != nil {
		return formatNone, err
	}
	defer lines.close()
	head, err := lines.head()
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(utf8BOM)), " \t\r\n")
	first, _, _ := bytes.Cut(head, []byte("\n"))
	switch {
	case startsObject(first):
		return formatJSONLines, nil
	case isEnvelope(first, true):
		return formatMbox, nil
	default:
		return formatNone, err
	}
}

// startsObject tells a JSON object from other text in braces, such as RTF.
func startsObject(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("{"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '"' || rest[0] == '}')
}

// sample writes the head and the tail of a file to h.
func sample(h io.Writer, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	defer f.Close()
	for _, start := range []int64{0, max(0, size-sampleBytes)} {
		if _, err := io.Copy(h, io.NewSectionReader(f, start, sampleBytes)); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
	}
	return nil
}

// ownerName derives a user from the name of an mbox file or a Maildir. A generic name, as in Apple Mail's
// "anna.mbox/mbox" or in "anna/Maildir", says nothing about the owner; the directory above does.
func ownerName(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	name := trimSuffixes(filepath.Base(path))
	switch strings.ToLower(name) {
	case "mbox", "maildir", ".maildir":
		if above := trimSuffixes(filepath.Base(filepath.Dir(path))); above != string(filepath.Separator) {
			return above
		}
	}
	return name
}

// trimSuffixes takes ".gz" and the usual suffixes of mbox files off a name, but leaves no empty name.
func trimSuffixes(name string) string {
	trimmed := strings.TrimSuffix(name, ".gz")
	for _, suffix := range []string{".mbox", ".mboxrd", ".mboxo", ".mbx"} {
		trimmed = strings.TrimSuffix(trimmed, suffix)
	}
	if trimmed == "" {
		return name
	}
	return trimmed
}

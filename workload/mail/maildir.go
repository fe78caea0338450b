package mail

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf16"
)

// maildirFile is one message of a Maildir folder.
type maildirFile struct {
	unique string // file name without flags: "cur" and "new" share these names
	path   string
}

// isMaildir reports whether a directory is a Maildir. Archives lose empty directories, so not all of "cur", "new" and
// "tmp" need to be there; but "new" by itself is a name that any directory may have.
func isMaildir(path string) bool {
	return hasDirectory(path, "cur") || hasDirectory(path, "new") && hasDirectory(path, "tmp")
}

func hasDirectory(path, name string) bool {
	info, err := os.Stat(filepath.Join(path, name))
	return err == nil && info.IsDir()
}

// listMaildir returns the messages of one folder, in the order of their unique names, which start with the time of delivery.
func listMaildir(path string) ([]maildirFile, error) {
	var files []maildirFile
	for _, state := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(path, state))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("mail: %w", err)
		}
		for _, entry := range entries {
			if !entry.Type().IsRegular() || strings.HasPrefix(entry.Name(), ".") {
				continue
			}
			unique, _, _ := strings.Cut(entry.Name(), ":")
			files = append(files, maildirFile{unique, filepath.Join(path, state, entry.Name())})
		}
	}
	slices.SortFunc(files, func(a, b maildirFile) int {
		return cmp.Or(strings.Compare(a.unique, b.unique), strings.Compare(a.path, b.path))
	})
	return files, nil
}

// maildir adds a folder of a Maildir and the folders below it.
func (s *surveyor) maildir(path, user, folder string) error {
	if s.opts.User != "" {
		user = s.opts.User
	}
	files, err := listMaildir(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.hash, "%s %q %q\n", formatMaildir, folder, user)
	for _, file := range files {
		info, err := os.Lstat(file.path)
		if err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		s.size += info.Size()
		fmt.Fprintf(s.hash, "%q %d\n", file.unique, info.Size())
	}
	p := part{format: formatMaildir, path: path, user: user, folder: folder}
	if folder == "" {
		p.folder = inboxFolder
	}
	s.parts = append(s.parts, p)
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	for _, entry := range entries {
		below := filepath.Join(path, entry.Name())
		if !entry.IsDir() || !hasDirectory(below, "cur") && !hasDirectory(below, "new") {
			continue // the mail server's own files
		}
		if err := s.maildir(below, user, subfolder(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// subfolder names the folder that a directory inside a Maildir stands for: Maildir++ writes ".Work.Bids" for
// Work/Bids, with the modified UTF-7 of IMAP; other servers nest directories.
func subfolder(above, name string) string {
	if dotted, found := strings.CutPrefix(name, "."); found {
		name = decodeFolder(strings.ReplaceAll(dotted, ".", "/"))
	}
	if above == "" {
		return name
	}
	return above + "/" + name
}

// decodeFolder decodes modified UTF-7 (RFC 3501 section 5.1.3): "&" starts base64 of UTF-16 and "-" ends it.
// A name that is not well-formed is returned as it is.
func decodeFolder(name string) string {
	alphabet := base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)
	var out strings.Builder
	for rest := name; ; {
		plain, shifted, found := strings.Cut(rest, "&")
		out.WriteString(plain)
		if !found {
			return out.String()
		}
		encoded, after, ended := strings.Cut(shifted, "-")
		units, err := alphabet.DecodeString(encoded)
		if !ended || err != nil || len(units)%2 != 0 {
			return name
		}
		if encoded == "" {
			out.WriteByte('&')
		}
		codes := make([]uint16, 0, len(units)/2)
		for i := 0; i < len(units); i += 2 {
			codes = append(codes, uint16(units[i])<<8|uint16(units[i+1]))
		}
		out.WriteString(string(utf16.Decode(codes)))
		rest = after
	}
}

// maildir is the container of one folder of a Maildir.
type maildir struct {
	part  part
	files []maildirFile
	limit int
	read  *atomic.Int64
}

// next implements container.
func (d *maildir) next() (*Message, error) {
	if len(d.files) == 0 {
		return nil, io.EOF
	}
	path := d.files[0].path
	d.files = d.files[1:]
	m, err := d.readFile(path)
	if err != nil {
		return nil, maildirError(path, err)
	}
	return m, nil
}

func (d *maildir) readFile(path string) (*Message, error) {
	lines, err := openStream(path, d.limit, d.read)
	if err != nil {
		return nil, err
	}
	defer lines.close()
	data, err := lines.readAll()
	if err == ErrTooLarge {
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, d.limit)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return parseMessage(data, origin{user: d.part.user, folder: d.part.folder, modified: info.ModTime()})
}

// maildirError makes damage to a file damage to one message: the other files are not affected.
func maildirError(path string, err error) *MessageError {
	var failed *FileError
	if errors.As(err, &failed) {
		return &MessageError{Source: path, Offset: failed.Offset, Err: failed.Err}
	}
	return &MessageError{Source: path, Err: err}
}

// skip implements container.
func (d *maildir) skip() error {
	if len(d.files) == 0 {
		return io.EOF
	}
	if info, err := os.Lstat(d.files[0].path); err == nil {
		d.read.Add(info.Size())
	}
	d.files = d.files[1:]
	return nil
}

// close implements container.
func (d *maildir) close() error { return nil }

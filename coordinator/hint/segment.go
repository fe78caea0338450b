package hint

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/iliumdb/ilium/ring"
)

// A segment is one file of hints. Its fields are guarded by the store's mutex, but for those that do not change; while it
// is written, only the holder of the store's disk mutex changes them.
type segment struct {
	identity
	path string
	sum  uint32 // seed of its checksums

	size            int64
	count           uint64 // hints that were written; 0 if a seal is missing
	newest, expires int64  // of all hints
	position        int64  // of the replay
	damaged         bool   // something in it cannot be read
	unreadable      bool   // all of it, because of another version
	removed         bool
}

const suffix = ".hints"

func newSegment(dir string, id identity) *segment {
	name := fmt.Sprintf("%s-%d-%d%s", id.host, id.stamp, id.seq, suffix)
	return &segment{identity: id, path: filepath.Join(dir, name), sum: id.seed(), size: headerSize, position: headerSize}
}

// parseName returns the identity that a file's name says.
func parseName(name string) (id identity, ok bool) {
	const uuid = 36
	base, isHints := strings.CutSuffix(name, suffix)
	if !isHints || len(base) < uuid+1 {
		return id, false
	}
	host, err := hex.DecodeString(strings.ReplaceAll(base[:uuid], "-", ""))
	stamp, seq, found := strings.Cut(base[uuid+1:], "-")
	if err != nil || len(host) != len(id.host) || !found {
		return id, false
	}
	id.host = ring.HostID(host)
	var errStamp, errSeq error
	id.stamp, errStamp = strconv.ParseInt(stamp, 10, 64)
	id.seq, errSeq = strconv.ParseUint(seq, 10, 64)
	ok = errStamp == nil && errSeq == nil && filepath.Base(newSegment("", id).path) == name // only what this package writes
	return id, ok
}

// openSegment returns a file from before. One without a seal is read, cut and sealed. One that cannot
// be read stays as it is and is not replayed: what is wrong with one file must not keep a node from
// starting. nil says that there was no hint in the file, and that it is removed.
func openSegment(dir string, id identity, log *slog.Logger) *segment {
	g := newSegment(dir, id)
	f, err := os.OpenFile(g.path, os.O_RDWR, 0)
	empty := false
	if err == nil {
		empty, err = g.recover(f, log)
		err = errors.Join(err, f.Close())
	}
	if err == nil && empty {
		if err = os.Remove(g.path); err == nil {
			return nil
		}
	}
	if err != nil {
		log.Error("a file of hints cannot be opened and is left out until the next start", "file", g.path, "error", err)
		g.damaged, g.unreadable = true, true
	}
	return g
}

func (g *segment) recover(f *os.File, log *slog.Logger) (empty bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	g.size = info.Size()
	header := make([]byte, min(g.size, headerSize))
	if _, err := f.ReadAt(header, 0); err != nil && err != io.EOF {
		return false, err
	}
	switch version := g.readHeader(header); {
	case version == 0 && g.size > headerSize:
		g.damaged = true
		log.Warn("the header of a file of hints is damaged; its hints are read all the same", "file", g.path)
	case version > formatVersion:
		g.damaged, g.unreadable = true, true
		log.Error("a file of hints is of an unknown version and stays as it is", "file", g.path, "version", version)
		return false, nil
	}
	g.position = readPosition(header, g.sum, g.size)
	sealed, err := g.readSeal(f)
	if err != nil || sealed {
		return false, err
	}
	return g.cut(f, log)
}

// readSeal takes over what the seal says, and reports whether there is one.
func (g *segment) readSeal(f *os.File) (bool, error) {
	r := reader{file: f, seed: g.sum, at: g.size - sealSize, end: g.size}
	if r.at < headerSize {
		return false, nil
	}
	rec, ok, err := r.try()
	if err != nil || !ok || !rec.seal || rec.end() != g.size || len(rec.body) != 8 {
		return false, err
	}
	g.count, g.newest, g.expires = binary.BigEndian.Uint64(rec.body), rec.created, rec.expires
	return true, nil
}

// cut reads a file that has no seal, cuts off what is behind the last hint and seals it.
func (g *segment) cut(f *os.File, log *slog.Logger) (empty bool, err error) {
	r := reader{file: f, seed: g.sum, at: headerSize, end: g.size}
	end, before := int64(headerSize), 0
	for {
		rec, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
		if !rec.seal {
			g.note(rec.created, rec.expires)
		}
		end, before = rec.end(), r.damaged
	}
	if end < g.size {
		log.Warn("the damaged end of a file of hints is cut off", "file", g.path, "bytes", g.size-end, "hints", g.count)
	}
	if g.count == 0 {
		return true, nil
	}
	g.damaged = g.damaged || before > 0
	if err := f.Truncate(end); err != nil {
		return false, err
	}
	g.size, g.position = end, min(g.position, end)
	return false, g.seal(f)
}

// note counts a hint.
func (g *segment) note(created, expires int64) {
	g.count++
	g.newest, g.expires = max(g.newest, created), max(g.expires, expires)
}

// seal writes the seal and makes the file durable.
func (g *segment) seal(f *os.File) error {
	b := makeSeal(g.sum, g.size, g.newest, g.expires, g.count)
	if _, err := f.WriteAt(b, g.size); err != nil {
		return err
	}
	g.size += int64(len(b))
	return f.Sync()
}

// create makes the file, with its header, and its entry in the directory durable.
func (g *segment) create() (*os.File, error) {
	f, err := os.OpenFile(g.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = f.WriteAt(g.header(), 0); err == nil {
		err = syncDir(filepath.Dir(g.path))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(g.path))
	}
	return f, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

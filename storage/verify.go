package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"

	"github.com/iliumdb/ilium/storage/row"
)

// Badger's iterators skip what they cannot decode without a word, so a damaged table file could
// make rows vanish. Therefore table files are checked before Badger opens them, and once a day
// while it runs. Reads that touch a damaged block fail, naming it; everything else is served.
// Writes are refused, because Badger would compact the damage into new files.

// verifyAtOpen is how many bytes of table files are checked before the engine opens. What is
// beyond that is checked while it runs.
const verifyAtOpen = 1 << 30

// A damage is a block of a table file whose checksum does not fit.
type damage struct {
	file      string
	low, high []byte // storage keys; what the block holds, or covers as a page, lies in [low, high]; nil high: no bound
	first     []byte // the block's first key, for errors
}

// A verifier checks the table files of a directory one after the other.
type verifier struct {
	dir    string
	todo   []uint64
	buffer []byte
}

// newVerifier lists the table files that Badger's manifest names, the newest first.
func newVerifier(dir string) (*verifier, error) {
	v := &verifier{dir: dir}
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		return v, nil // a new directory
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", badger.ManifestFilename, err)
	}
	for id := range manifest.Tables {
		v.todo = append(v.todo, id)
	}
	slices.SortFunc(v.todo, func(a, b uint64) int { return int(int64(b) - int64(a)) })
	return v, nil
}

// next checks one more file and returns its size. There must be one in todo.
func (v *verifier) next() (int64, []damage, error) {
	name := table.IDToFilename(v.todo[0])
	v.todo = v.todo[1:]
	f, err := os.Open(filepath.Join(v.dir, name))
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, nil, err
	}
	if int64(cap(v.buffer)) < info.Size() {
		v.buffer = make([]byte, info.Size())
	}
	data := v.buffer[:info.Size()]
	if _, err := f.ReadAt(data, 0); err != nil {
		return 0, nil, err
	}
	found, err := verifyTable(name, data)
	return info.Size(), found, err
}

// errTable says that a table file is damaged beyond its blocks: Badger cannot open it.
func errTable(name, what string) error {
	return &CorruptError{Table: "unknown", Key: "file " + name, Cause: what}
}

// verifyTable checks the index and every block of a table file.
func verifyTable(name string, data []byte) ([]damage, error) {
	index, err := tableIndex(name, data)
	if err != nil {
		return nil, err
	}
	var found []damage
	n := index.OffsetsLength()
	key := func(i int) []byte {
		var o fb.BlockOffset
		if i < 0 || i >= n || !index.Offsets(&o, i) || len(o.KeyBytes()) < 8 {
			return nil
		}
		return y.ParseKey(o.KeyBytes())
	}
	for i := range n {
		var o fb.BlockOffset
		if !index.Offsets(&o, i) || uint64(o.Offset())+uint64(o.Len()) > uint64(len(data)) {
			return nil, errTable(name, "a block lies outside the file")
		}
		if verifyBlock(data[o.Offset() : o.Offset()+o.Len()]) {
			continue
		}
		// A page covers keys from the page before on, which may lie in the block before.
		d := damage{file: name, first: bytes.Clone(key(i)), low: bytes.Clone(key(i - 1)), high: bytes.Clone(key(i + 1))}
		if d.low == nil {
			d.low = d.first[:min(row.TablePrefixSize, len(d.first))]
		}
		found = append(found, d)
	}
	return found, nil
}

// tableIndex checks and returns the index at the end of a table file.
func tableIndex(name string, data []byte) (*fb.TableIndex, error) {
	end := len(data)
	take := func(n int) []byte {
		if n < 0 || n > end {
			return nil
		}
		end -= n
		return data[end : end+n]
	}
	size := func() int {
		if b := take(4); b != nil {
			return int(binary.BigEndian.Uint32(b))
		}
		return -1
	}
	encoded := take(size())
	if len(encoded) == 0 {
		return nil, errTable(name, "damaged footer")
	}
	index := take(size())
	if len(index) == 0 || !verifySum(index, encoded) {
		return nil, errTable(name, "checksum mismatch in its index")
	}
	return fb.GetRootAsTableIndex(index, 0), nil
}

// verifyBlock checks a block: data, checksum, length of the checksum.
func verifyBlock(block []byte) bool {
	if len(block) < 4 {
		return false
	}
	n := int(binary.BigEndian.Uint32(block[len(block)-4:]))
	if n < 0 || n > len(block)-4 {
		return false
	}
	return verifySum(block[:len(block)-4-n], block[len(block)-4-n:len(block)-4])
}

// verifySum compares data with an encoded checksum, which may be damaged itself.
func verifySum(data, encoded []byte) bool {
	var sum pb.Checksum
	return proto.Unmarshal(encoded, &sum) == nil && sum.Algo == pb.Checksum_CRC32C && y.VerifyChecksum(data, &sum) == nil
}

func (d *damage) entry() *corruptEntry {
	return &corruptEntry{key: d.first, cause: fmt.Errorf("checksum mismatch in file %s", d.file)}
}

// entryOf returns the entry to name in an error for a read of a table: the first of the block, or
// if that belongs to another table, the next that is known.
func (d *damage) entryOf(incarnation uint32) *corruptEntry {
	entry, table := d.entry(), row.AppendTable(nil, incarnation, row.Fragments)[:4]
	if !bytes.HasPrefix(entry.key, table) && bytes.HasPrefix(d.high, table) {
		entry.key = d.high
	}
	return entry
}

// touches reports whether a read of storage keys in [low, high] could need the damaged block.
func (d *damage) touches(low, high []byte) bool {
	return bytes.Compare(d.low, high) <= 0 && (d.high == nil || bytes.Compare(low, d.high) <= 0)
}

// damaged returns the error for a read of the row keys in [low, high] of a table, or nil if no
// known damage concerns it. high nil means those that start with low.
func (e *Engine) damaged(incarnation uint32, low, high []byte) error {
	list := e.damage.Load()
	if list == nil {
		return nil
	}
	if high == nil {
		high = append(bytes.Clone(low), 0xFF)
	}
	for _, area := range []row.Area{row.Fragments, row.Pages} {
		from := append(row.AppendTable(nil, incarnation, area), low...)
		to := append(row.AppendTable(nil, incarnation, area), high...)
		if d := e.damageIn(from, to); d != nil {
			return e.corruptError(d.entryOf(incarnation))
		}
	}
	return nil
}

// damageIn returns a known damage that could concern storage keys in [low, high], or nil.
func (e *Engine) damageIn(low, high []byte) *damage {
	if list := e.damage.Load(); list != nil {
		for i := range *list {
			if d := &(*list)[i]; d.touches(low, high) {
				return d
			}
		}
	}
	return nil
}

// damagedMeta returns the error for a read of the metadata whose keys start with prefix.
func (e *Engine) damagedMeta(prefix []byte) error {
	d := e.damageIn(prefix, append(bytes.Clone(prefix), 0xFF))
	if d == nil {
		return nil
	}
	return &CorruptError{Table: "metadata", Key: "file " + d.file, Cause: d.entry().cause.Error()}
}

// verify checks files until limit bytes were read or all were, and notes what it finds.
func (e *Engine) verify(v *verifier, limit int64) error {
	for limit > 0 && len(v.todo) > 0 {
		n, found, err := v.next()
		if errors.Is(err, os.ErrNotExist) {
			continue // compacted away meanwhile
		}
		if err != nil {
			return err
		}
		limit -= n
		e.addDamage(found)
	}
	return nil
}

func (e *Engine) addDamage(found []damage) {
	if len(found) == 0 {
		return
	}
	var all []damage
	if old := e.damage.Load(); old != nil {
		all = append(all, *old...)
	}
	all = append(all, found...)
	e.damage.Store(&all)
	for i := range found {
		e.opts.Log.Error("stored data is damaged; reads that need it fail, and writes are refused",
			"error", e.corruptError(found[i].entry()))
	}
}

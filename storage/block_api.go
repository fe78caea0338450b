package storage

import "github.com/iliumdb/ilium/storage/row"

// A Limit says where a block ends although there is more to read. A block always holds at least one entry that the
// block before did not hold, whatever the limit.
type Limit struct {
	Rows  int // live rows; 0 means no limit
	Bytes int // of the block, roughly; 0 means no limit
}

// A BlockInfo says what went into a block.
type BlockInfo struct {
	Complete bool // nothing is behind the last entry
	Entries  int  // headers and rows, dead ones too
	Stats    ReadStats
}

// ReadBlock appends the block of a Read to dst: its merged entries from the beginning on, see Block.
// It does not look at StaticOnly. It fails as a cursor does, and then returns dst as it was.
func (e *Engine) ReadBlock(dst []byte, r *Read, l Limit) (block []byte, info BlockInfo, err error) {
	panic("not yet")
}

// ScanBlock is ReadBlock for a Scan.
func (e *Engine) ScanBlock(dst []byte, s *Scan, l Limit) (block []byte, info BlockInfo, err error) {
	panic("not yet")
}

// Digest returns a hash of a block. It is not cryptographic.
func Digest(block []byte) [16]byte { panic("not yet") }

// A BlockReader decodes a block. The zero BlockReader is an empty, complete block.
type BlockReader struct{}

// Reset begins with another block, any bytes. The block must not change while it is read.
func (r *BlockReader) Reset(block []byte) { panic("not yet") }

// Next moves to the next entry and reports whether there is one; if not, see Err.
func (r *BlockReader) Next() bool { panic("not yet") }

// Key returns the row key of the entry, valid until Next.
func (r *BlockReader) Key() []byte { panic("not yet") }

// Row returns the entry, valid until Next. Its values share the block's memory.
func (r *BlockReader) Row() *row.Fragment { panic("not yet") }

// Complete reports whether nothing is behind the block.
func (r *BlockReader) Complete() bool { panic("not yet") }

// Err returns what is wrong with the block, or nil.
func (r *BlockReader) Err() error { panic("not yet") }

// After moves r behind an entry in reading order, and reports whether anything may be left to read. rowKey is that of
// a row or header in r's partition, or the partition's prefix and 0xFF, which is behind all of it. The slices that
// r had are not changed: r gets others. What was read of a moved Read is the header, again, and the rows behind.
func (r *Read) After(rowKey []byte) bool { panic("not yet") }

// After moves s behind an entry, and reports whether anything may be left to read. rowKey is that of a row or
// header, or a partition's prefix and 0xFF, which is behind all of the partition.
func (s *Scan) After(rowKey []byte) bool { panic("not yet") }

// AppendRead appends the wire form of a Read and its Limit.
func AppendRead(dst []byte, r *Read, l Limit) []byte { panic("not yet") }

// DecodeRead takes what AppendRead made from the front of b, and checks it: any bytes are safe. The Read shares b's memory.
func DecodeRead(b []byte) (r *Read, l Limit, rest []byte, err error) { panic("not yet") }

// AppendScan appends the wire form of a Scan and its Limit.
func AppendScan(dst []byte, s *Scan, l Limit) []byte { panic("not yet") }

// DecodeScan takes what AppendScan made from the front of b, and checks it: any bytes are safe. The Scan shares b's memory.
func DecodeScan(b []byte) (s *Scan, l Limit, rest []byte, err error) { panic("not yet") }

// Entries are what a block holds, or several replicas' blocks merged. They share the blocks' memory, and one cursor
// consumes them.
type Entries struct{}

// BlockEntries returns the entries of a single block, which is decoded as a cursor passes it: what is wrong with the
// block is the cursor's error.
func BlockEntries(block []byte) *Entries { panic("not yet") }

// Complete reports whether nothing is behind the entries. Otherwise the next ones are those behind Last.
func (e *Entries) Complete() bool { panic("not yet") }

// MergeBlocks merges the blocks with which several replicas answered one request, up to where the first incomplete
// one of them ends. repairs holds for each replica the mutations that bring it what it lacks, by partition; nil if it
// lacks nothing. reverse is that of the Read, false for a Scan. Repairs are complete when it returns.
func MergeBlocks(incarnation uint32, reverse bool, blocks [][]byte) (merged *Entries, repairs [][]*row.Mutation, err error) {
	panic("not yet")
}

// A Fetch returns the entries of a request behind a row key as After takes it: nil at first, then where the entries
// before ended, or further on after SkipPartition. What it returned before may be reused from then on.
type Fetch func(after []byte) (*Entries, error)

// BlockOptions says what a cursor over blocks needs beside the request.
type BlockOptions struct {
	Table         string // its name, for errors
	TombstoneFail int    // as in Options; 0 means the default
	Close         func() // called once when the cursor is closed; may be nil
}

// NewReadCursor returns a cursor over the rows of a Read that fetch delivers. It answers as Engine.Read does, except
// that tombstones which blocks leave out, because their gc_grace_seconds have passed, do not count, that it shows each block's
// rows as of when it was fetched, and that of Stats only Rows and Tombstones are set. Errors of fetch are the
// cursor's error as they are. The caller must Close it; r is not changed, and must not change meanwhile.
func NewReadCursor(r *Read, fetch Fetch, o BlockOptions) *Cursor { panic("not yet") }

// NewScanCursor is NewReadCursor for a Scan.
func NewScanCursor(s *Scan, fetch Fetch, o BlockOptions) *Cursor { panic("not yet") }

// NoEntries is the end of what was asked for.
func NoEntries() *Entries { panic("not yet") }

// Empty reports whether there is no entry.
func (e *Entries) Empty() bool { panic("not yet") }

// Continued returns the same entries as of an incomplete block.
func (e *Entries) Continued() *Entries { panic("not yet") }

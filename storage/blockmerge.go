package storage

import (
	"bytes"

	"github.com/iliumdb/ilium/storage/row"
)

// MergeBlocks merges the blocks with which several replicas answered one request, up to where the first incomplete
// one of them ends. repairs holds for each replica the mutations that bring it what it lacks, by partition; nil if it
// lacks nothing. reverse is that of the Read, false for a Scan. Repairs are complete when it returns.
func MergeBlocks(incarnation uint32, reverse bool, blocks [][]byte) (merged *Entries, repairs [][]*row.Mutation, err error) {
	m := &blockMerge{incarnation: incarnation, reverse: reverse, replicas: make([]replicaBlock, len(blocks)), out: &Entries{}}
	m.at.header.Reset()
	for i := range m.replicas {
		r := &m.replicas[i]
		if r.reader.Reset(blocks[i]); r.reader.reverse != reverse {
			return nil, nil, &BlockError{"its direction is not that of the request"}
		}
		if err := r.next(); err != nil {
			return nil, nil, err
		}
	}
	for !m.out.more {
		key := m.least()
		if key == nil {
			break
		}
		if err := m.merge(key); err != nil {
			return nil, nil, err
		}
	}
	repairs = make([][]*row.Mutation, len(blocks))
	for i := range m.replicas {
		repairs[i] = m.replicas[i].repairs
	}
	return m.out, repairs, nil
}

// A blockMerge is a merge at work.
type blockMerge struct {
	incarnation uint32
	reverse     bool
	replicas    []replicaBlock
	out         *Entries

	at        partition
	key       []byte
	fragments []*row.Fragment
	merger    row.Merger
	body, own []byte
}

// A replicaBlock is the block of one replica, and what it lacks.
type replicaBlock struct {
	reader  BlockReader
	valid   bool // the reader stands on an entry that was not merged yet
	here    bool // which has the key that is being merged
	repairs []*row.Mutation
}

func (r *replicaBlock) next() error {
	r.valid = r.reader.Next()
	return r.reader.Err()
}

// least returns the key that comes next in reading order, nil at the end.
func (m *blockMerge) least() []byte {
	var least []byte
	for i := range m.replicas {
		if r := &m.replicas[i]; r.valid && (least == nil || m.isBefore(r.reader.Key(), least)) {
			least = r.reader.Key()
		}
	}
	if least == nil {
		return nil
	}
	m.key = append(m.key[:0], least...)
	return m.key
}

// isBefore compares in reading order: a reversed read has a single partition, and its header comes first.
func (m *blockMerge) isBefore(a, b []byte) bool {
	if m.reverse && !isHeaderKey(a) {
		return !isHeaderKey(b) && bytes.Compare(a, b) > 0
	}
	return bytes.Compare(a, b) < 0
}

// isHeaderKey reports whether a row key is a header's. It must be a row key.
func isHeaderKey(rowKey []byte) bool {
	end, err := row.PartitionEnd(rowKey)
	return err == nil && row.Kind(rowKey[end]) == row.KindHeader
}

// merge merges what the replicas have of one key.
func (m *blockMerge) merge(key []byte) error {
	if !m.at.holds(key) {
		if err := m.at.enter(key); err != nil {
			return err
		}
	}
	header := m.at.isHeader(key)
	m.fragments = m.fragments[:0]
	for i := range m.replicas {
		r := &m.replicas[i]
		if r.here = r.valid && bytes.Equal(r.reader.Key(), key); !r.here {
			continue
		}
		if !header { // a replica that lacks the deletion gets it with the header
			m.at.shadow(r.reader.Row(), m.at.clustering(key))
		}
		m.fragments = append(m.fragments, r.reader.Row())
	}
	f := *m.merger.Merge(m.fragments)
	if header {
		f.Ranges = row.NormalizeRanges(f.Ranges, f.Deletion)
		m.at.keep(&f, nil, nil)
	}
	if !f.IsEmpty() {
		m.out.add(key, &f)
	}
	return m.compare(key, &f)
}

// compare notes which replicas lack something of a merged entry, and moves those that had it on.
func (m *blockMerge) compare(key []byte, f *row.Fragment) error {
	m.body = row.AppendBody(m.body[:0], f, 0)
	for i := range m.replicas {
		r := &m.replicas[i]
		same := f.IsEmpty()
		if r.here {
			m.own = row.AppendBody(m.own[:0], r.reader.Row(), 0)
			same = bytes.Equal(m.own, m.body)
		}
		if !same {
			if err := r.repair(m.incarnation, key, f); err != nil {
				return err
			}
		}
	}
	for i := range m.replicas {
		r := &m.replicas[i]
		if !r.here {
			continue
		}
		if err := r.next(); err != nil {
			return err
		}
		if !r.valid && !r.reader.Complete() {
			m.out.Continue(key) // what the replica has behind it is not known
		}
	}
	return nil
}

// repair notes that the replica lacks an entry.
func (r *replicaBlock) repair(incarnation uint32, key []byte, f *row.Fragment) error {
	if n := len(r.repairs); n > 0 && r.repairs[n-1].AddEntry(key, f) {
		return nil
	}
	m := new(row.Mutation)
	if err := m.BeginAt(incarnation, key); err != nil {
		return err
	}
	m.AddEntry(key, f)
	r.repairs = append(r.repairs, m)
	return nil
}

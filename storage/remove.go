package storage

import (
	"bytes"
	"context"
	"math"

	"github.com/iliumdb/ilium/storage/row"
)

// RemoveRange removes the rows of a table whose tokens lie in (start, end], as nodetool cleanup does for ranges
// that a node does not hold anymore. If start is not before end the range leads over the end of the ring. It returns when that is
// durable; if it fails, or ctx ends, a part of the rows is gone. What is written to the range meanwhile may be removed or not.
//
// It is a fold that leaves the rows out: page ranges hold rows from outside the range too, and those are
// written again. Like all folding it goes in steps, of which none holds up writes, with pauses.
func (e *Engine) RemoveRange(ctx context.Context, incarnation uint32, start, end int64) error {
	if err := e.begin(); err != nil {
		return err
	}
	defer e.calls.Done()
	for _, r := range tokenRanges(start, end) {
		var err error
		e.folder.exclusively(func() { err = e.folder.removeRange(ctx, incarnation, r) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) removeRange(ctx context.Context, incarnation uint32, r keyRange) error {
	t, ok := f.engine.opts.Tables(incarnation)
	if !ok {
		return nil // all of it is reclaimed
	}
	if err := f.engine.writable(0); err != nil {
		return err
	}
	policy := f.policy(t)
	policy.leastFragments, policy.remove = math.MaxInt, &r
	return f.foldBetween(ctx, incarnation, r.low, r.high, policy, func(*foldStep) { f.pause(reclaimPause) })
}

// A keyRange is a range of row keys: [low, high). A nil high is behind all.
type keyRange struct{ low, high []byte }

func (r *keyRange) holds(rowKey []byte) bool {
	return bytes.Compare(rowKey, r.low) >= 0 && (r.high == nil || bytes.Compare(rowKey, r.high) < 0)
}

// touches reports whether any row key from low up to and including upper may lie in r; a nil upper is behind all.
func (r *keyRange) touches(low, upper []byte) bool {
	return (r.high == nil || bytes.Compare(low, r.high) < 0) && (upper == nil || bytes.Compare(upper, r.low) >= 0)
}

// tokenRanges returns the row keys with tokens in (start, end], which may lead over the end of the ring.
func tokenRanges(start, end int64) []keyRange {
	low := keyRange{high: behindToken(end)} // from the first token on
	high := keyRange{low: behindToken(start)}
	switch {
	case start < end:
		return []keyRange{{low: high.low, high: low.high}}
	case start == math.MaxInt64:
		return []keyRange{low}
	case end == math.MinInt64:
		return []keyRange{high}
	default:
		return []keyRange{high, low}
	}
}

// behindToken returns a bound behind the row keys with a token, nil behind the last one.
func behindToken(token int64) []byte {
	if token == math.MaxInt64 {
		return nil
	}
	return row.AppendToken(nil, token+1)
}

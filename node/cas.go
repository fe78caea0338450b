package node

import (
	"context"
	"errors"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/query/plan"
)

// errUnconditional refuses to tell what became of the conditions of a statement that has none.
var errUnconditional = errors.New("the statement has no conditions (IF)")

// SerialConsistency sets who takes part in the decision about a conditional statement, the nodes of all datacenters
// (SERIAL, the default) or those of one (LOCAL_SERIAL). Consistency says who must then have the change.
func (q *Query) SerialConsistency(level consistency.Level) *Query { q.serial = level; return q }

// ScanCAS carries out a conditional statement, INSERT, UPDATE or DELETE with IF, and reports whether the conditions held.
// If they did not, the present values of the row are stored in dest: those of the columns that the conditions are on, or
// of all columns after IF EXISTS and IF NOT EXISTS. dest is left alone if there is no row.
func (q *Query) ScanCAS(ctx context.Context, dest ...any) (applied bool, err error) {
	rows, applied, err := decided(q.Iter(ctx))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if len(rows.values) == 1 {
		return applied, nil
	}
	return applied, rows.Scan(append([]any{nil}, dest...)...)
}

// MapScanCAS is ScanCAS with the present values, by column, as ScanMap returns them; nil if the conditions held or there
// is no row.
func (q *Query) MapScanCAS(ctx context.Context) (applied bool, present map[string]any, err error) {
	rows, applied, err := decided(q.Iter(ctx))
	if err != nil {
		return false, nil, err
	}
	defer rows.Close()
	if len(rows.values) == 1 {
		return applied, nil, nil
	}
	if present, err = rows.ScanMap(); err != nil {
		return applied, nil, err
	}
	delete(present, plan.AppliedColumn)
	return applied, present, nil
}

// decided moves to the first row of a conditional statement's result.
func decided(rows *Iter) (*Iter, bool, error) {
	if !rows.Next() {
		if err := rows.Close(); err != nil {
			return nil, false, err
		}
		return nil, false, errUnconditional
	}
	if rows.rows.Columns[0].Name != plan.AppliedColumn {
		return nil, false, errors.Join(errUnconditional, rows.Close())
	}
	applied := false
	if err := rows.decode(0, &applied); err != nil {
		return nil, false, errors.Join(err, rows.Close())
	}
	return rows, applied, nil
}

// SerialConsistency is that of Query.
func (b *Batch) SerialConsistency(level consistency.Level) *Batch { b.serial = level; return b }

// ExecCAS carries out a batch in which some statements are conditional, and reports whether all conditions held; only
// then the batch does anything. All statements must be about one partition of one table. If they did not hold, rows are
// those that the conditions are on, with a first column [applied] that is false; there is none if none of them exists.
// Close them.
func (b *Batch) ExecCAS(ctx context.Context) (applied bool, rows *Iter, err error) {
	result, err := b.run(ctx)
	if err != nil {
		return false, nil, err
	}
	first := &Iter{ctx: ctx}
	first.take(result)
	if _, applied, err = decided(first); err != nil {
		return false, nil, err
	}
	rows = &Iter{ctx: ctx}
	rows.take(result)
	if len(rows.rows.Columns) == 1 {
		rows.left = 0
	}
	return applied, rows, nil
}

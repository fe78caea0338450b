package query

import "bytes"

// A group is the group of rows at hand, of a query with GROUP BY. Rows come in the order of the key, so a group ends
// where another begins. A page ends with a whole group.
type group struct {
	open       bool
	partition  []byte
	clustering [][]byte // what its rows have in common of the clustering key; nil for static columns alone
	sortKeys   [][]byte // of its first row
}

// groupHasRow reports whether the row at hand belongs to the group.
func (r *reader) groupHasRow() bool {
	g := r.group
	if !g.open || !bytes.Equal(g.partition, r.prefix) {
		return false
	}
	n := r.groupColumns()
	if (r.row.Clustering == nil) != (g.clustering == nil) && n > 0 {
		return false
	}
	for i := range n {
		if r.row.Clustering != nil && !bytes.Equal(r.row.Clustering[i], g.clustering[i]) {
			return false
		}
	}
	return true
}

// groupColumns returns how many clustering columns make a group.
func (r *reader) groupColumns() int { return max(0, r.plan.GroupBy-len(r.plan.Table.Partition)) }

// addToGroup takes the row at hand into its group. It reports true if the result has no room for that, and none
// for what is behind it.
func (r *reader) addToGroup(cursor cursor) (full bool, err error) {
	if !r.groupHasRow() {
		if err := r.endGroup(); err != nil {
			return false, err
		}
		switch {
		case r.limitLeft == 0:
			return true, nil
		case r.perPartition > 0 && r.partitionLeft == 0:
			return false, nil // the rest of the partition is passed over
		case r.pageLeft == 0:
			r.more = true
			return true, nil
		}
		if r.pageLeft > 1 && int64(len(r.rows.Data)) >= r.executor.opts.PageBytes {
			r.pageLeft = 1
		}
		r.beginGroup()
	}
	if r.pageLeft == 1 { // the page ends behind this row, unless the group goes on
		r.last.set(r.prefix, cursor, r.plan.Distinct)
		r.last.partitionLeft = r.partitionLeft
	}
	return false, r.aggregation.Add(&r.binding)
}

func (r *reader) beginGroup() {
	g := r.group
	g.open = true
	g.partition = append(g.partition[:0], r.prefix...)
	g.clustering = nil
	if r.row.Clustering != nil {
		g.clustering = make([][]byte, r.groupColumns())
		for i := range g.clustering {
			g.clustering[i] = bytes.Clone(r.row.Clustering[i])
		}
	}
	g.sortKeys = r.sortKeys()
	r.aggregation.Reset(&r.binding)
	if r.perPartition > 0 {
		r.partitionLeft--
	}
}

// endGroup puts the group at hand, if there is one, into the result.
func (r *reader) endGroup() error {
	if !r.group.open {
		return nil
	}
	r.group.open = false
	if err := r.put(); err != nil || len(r.plan.Sort) > 0 {
		return err
	}
	if r.limitLeft > 0 {
		r.limitLeft--
	}
	if r.pageLeft > 0 {
		r.pageLeft--
	}
	r.last.limitLeft = r.limitLeft
	return nil
}

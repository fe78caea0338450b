package query

import "fmt"

// A ResultTooLargeError reports that a client has asked for all rows at once, and there are more bytes of them than a node
// gathers in memory.
type ResultTooLargeError struct {
	Table string
	Limit int64 // bytes, see Options.ResultBytes
}

func (e *ResultTooLargeError) Error() string {
	return fmt.Sprintf("The result of a query on %s is larger than %d bytes, the most that is returned at once: use paging (a page size), or LIMIT",
		e.Table, e.Limit)
}

// checkSize refuses to gather more than Options.ResultBytes. The rows of a page are few enough: emit ends it.
func (r *reader) checkSize() error {
	limit := r.executor.opts.ResultBytes
	if r.pageLeft >= 0 || int64(len(r.rows.Data))+r.sortedBytes <= limit || r.rows.Count+len(r.sorted) <= 1 {
		return nil
	}
	return &ResultTooLargeError{Table: r.plan.Table.String(), Limit: limit}
}

package cluster

import (
	"errors"

	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/storage"
)

// isExpected reports whether an error is one that clients get while nodes fail.
func isExpected(err error) bool {
	return is[*coordinator.UnavailableError](err) || is[*coordinator.WriteTimeoutError](err) || is[*coordinator.ReadTimeoutError](err) ||
		is[*coordinator.WriteFailureError](err) || is[*coordinator.ReadFailureError](err) || errors.Is(err, ErrLost) || errors.Is(err, ErrDown) ||
		errors.Is(err, storage.ErrClosed)
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// unless complains of an error that clients must not get.
func (l *Ledger) unless(what string, at int, err error) {
	if !isExpected(err) {
		l.complain("a %s at member %d: %T: %v", what, at, err, err)
	}
}

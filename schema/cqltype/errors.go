package cqltype

import "fmt"

// ValueError reports serialized bytes, a literal or a Go value that is no value of the type at hand.
// The wording is Cassandra's where Cassandra has one, fit to be shown to the client.
type ValueError struct {
	Reason string
}

// Error returns the reason.
func (e *ValueError) Error() string { return e.Reason }

// invalid returns a ValueError.
func invalid(format string, args ...any) error {
	return &ValueError{Reason: fmt.Sprintf(format, args...)}
}

// TypeError reports a type that CQL does not allow or that a type string does not spell.
type TypeError struct {
	Reason string
}

// Error returns the reason.
func (e *TypeError) Error() string { return e.Reason }

// badType returns a TypeError.
func badType(format string, args ...any) error {
	return &TypeError{Reason: fmt.Sprintf(format, args...)}
}

// KeyError reports bytes that AppendKey or AppendPartitionKey never produce: a corrupt key.
type KeyError struct {
	Reason string
}

// Error returns the reason, marked as being about a key.
func (e *KeyError) Error() string { return "corrupt key: " + e.Reason }

// Compiled errors: reading keys is a hot path that must not allocate even when it fails.
var (
	errKeyTruncated    = &KeyError{"it ends inside a component"}
	errKeyMarker       = &KeyError{"unknown marker byte"}
	errKeyEscape       = &KeyError{"invalid escape sequence"}
	errKeyNotCanonical = &KeyError{"component is not in canonical form"}
	errKeyTooWide      = &KeyError{"it has more fields than its type"}
	errKeyRange        = &KeyError{"component is out of the range of its type"}
)

package plan

import "fmt"

// A valueError says what is wrong with a value, in Cassandra's words, which begin with a capital.
type valueError string

func (e valueError) Error() string { return string(e) }

func valueErrorf(format string, args ...any) error { return valueError(fmt.Sprintf(format, args...)) }

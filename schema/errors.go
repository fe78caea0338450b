package schema

import "fmt"

// An InvalidRequestError says that a statement is understood but does not fit the schema, the
// types, or what is supported: InvalidRequestException, 0x2200 in the native protocol.
type InvalidRequestError struct {
	Message string
}

func (e *InvalidRequestError) Error() string { return e.Message }

// Invalid returns an *InvalidRequestError with a formatted message.
func Invalid(format string, args ...any) error {
	return &InvalidRequestError{fmt.Sprintf(format, args...)}
}

// A ConfigurationError says that an option of a keyspace or table cannot be honored:
// ConfigurationException, 0x2300.
type ConfigurationError struct {
	Message string
}

func (e *ConfigurationError) Error() string { return e.Message }

// Misconfigured returns a *ConfigurationError with a formatted message.
func Misconfigured(format string, args ...any) error {
	return &ConfigurationError{fmt.Sprintf(format, args...)}
}

// An AlreadyExistsError says that what a statement creates is there: AlreadyExistsException, 0x2400.
type AlreadyExistsError struct {
	Keyspace string
	Table    string // empty if the keyspace itself exists
}

func (e *AlreadyExistsError) Error() string {
	if e.Table == "" {
		return fmt.Sprintf("Cannot add existing keyspace %q", e.Keyspace)
	}
	return fmt.Sprintf("Cannot add already existing table %q to keyspace %q", e.Table, e.Keyspace)
}

// A SyntaxError says that a statement which could be parsed has a property that does not exist or a
// value of the wrong form: SyntaxException, 0x2000.
type SyntaxError struct {
	Message string
}

func (e *SyntaxError) Error() string { return e.Message }

// Malformed returns a *SyntaxError with a formatted message.
func Malformed(format string, args ...any) error {
	return &SyntaxError{fmt.Sprintf(format, args...)}
}

// An UnauthorizedError says that nobody, or not this user, may do what a statement asks for:
// UnauthorizedException, 0x2100.
type UnauthorizedError struct {
	Message string
}

func (e *UnauthorizedError) Error() string { return e.Message }

// Unauthorized returns an *UnauthorizedError with a formatted message.
func Unauthorized(format string, args ...any) error {
	return &UnauthorizedError{fmt.Sprintf(format, args...)}
}

// A FunctionFailedError says that a function or an arithmetic operation could not compute its result:
// FunctionExecutionException, 0x1400.
type FunctionFailedError struct {
	Message   string
	Keyspace  string
	Function  string
	Arguments []string // their types
}

func (e *FunctionFailedError) Error() string { return e.Message }

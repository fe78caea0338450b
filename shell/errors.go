package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/iliumdb/ilium/wire/cql/frame"
)

// errorClass is how cqlsh calls the errors of a code.
type errorClass struct {
	name    string // of the driver's class
	summary string // "" if the message is shown alone
}

// classOf returns how errors of a code are called.
func classOf(code frame.ErrorCode) errorClass {
	const timedOut = "Coordinator node timed out waiting for replica nodes' responses"
	switch code {
	case frame.ErrorServer:
		return errorClass{name: "ServerError"}
	case frame.ErrorProtocol:
		return errorClass{name: "ProtocolException"}
	case frame.ErrorBadCredentials:
		return errorClass{"AuthenticationFailed", "Bad credentials"}
	case frame.ErrorUnavailable:
		return errorClass{"Unavailable", "Unavailable exception"}
	case frame.ErrorOverloaded:
		return errorClass{name: "OverloadedErrorMessage"}
	case frame.ErrorBootstrapping:
		return errorClass{name: "IsBootstrappingErrorMessage"}
	case frame.ErrorTruncate:
		return errorClass{name: "TruncateError"}
	case frame.ErrorWriteTimeout:
		return errorClass{"WriteTimeout", timedOut}
	case frame.ErrorReadTimeout:
		return errorClass{"ReadTimeout", timedOut}
	case frame.ErrorReadFailure:
		return errorClass{"ReadFailure", "Replica(s) failed to execute read"}
	case frame.ErrorFunctionFailure:
		return errorClass{"FunctionFailure", "User Defined Function failure"}
	case frame.ErrorWriteFailure:
		return errorClass{"WriteFailure", "Replica(s) failed to execute write"}
	case frame.ErrorCDCWriteFailure:
		return errorClass{name: "CDCWriteException"}
	case frame.ErrorSyntax:
		return errorClass{name: "SyntaxException"}
	case frame.ErrorUnauthorized:
		return errorClass{"Unauthorized", "Unauthorized"}
	case frame.ErrorInvalid:
		return errorClass{"InvalidRequest", "Invalid query"}
	case frame.ErrorConfig:
		return errorClass{name: "ConfigurationException"}
	case frame.ErrorUnprepared:
		return errorClass{name: "PreparedQueryNotFound"}
	default:
		return errorClass{"ErrorMessage", "Unknown"}
	}
}

// describeError says what has gone wrong in the words of cqlsh. timeout is how long the statement was waited for.
func describeError(err error, timeout time.Duration) string {
	if refused, ok := errors.AsType[*frame.Error](err); ok {
		return describeRefusal(refused)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("OperationTimedOut: no answer within %s (see --request-timeout); the server may still carry out the statement", timeout)
	case errors.Is(err, context.Canceled):
		return "Canceled: the statement was given up; the server may still carry it out"
	default:
		return "ConnectionError: " + err.Error()
	}
}

func describeRefusal(e *frame.Error) string {
	if e.Code == frame.ErrorAlreadyExists {
		if e.Name == "" {
			return fmt.Sprintf("AlreadyExists: Keyspace '%s' already exists", e.Keyspace)
		}
		return fmt.Sprintf("AlreadyExists: Table '%s.%s' already exists", e.Keyspace, e.Name)
	}
	class := classOf(e.Code)
	if class.summary == "" {
		return class.name + ": " + e.Message
	}
	return fmt.Sprintf("%s: Error from server: code=%04x [%s] message=\"%s\"%s", class.name, int32(e.Code), class.summary, e.Message, errorInfo(e))
}

// errorInfo returns what an error says beside its message, as cqlsh prints it: a dictionary of Python.
func errorInfo(e *frame.Error) string {
	info := []string{fmt.Sprintf("'consistency': '%s'", e.Consistency)}
	add := func(name string, value any) { info = append(info, fmt.Sprintf("'%s': %v", name, value)) }
	responses := func() {
		add("required_responses", e.BlockFor)
		add("received_responses", e.Received)
	}
	switch e.Code {
	case frame.ErrorUnavailable:
		add("required_replicas", e.Required)
		add("alive_replicas", e.Alive)
	case frame.ErrorWriteTimeout:
		responses()
		add("write_type", "'"+e.WriteType+"'")
	case frame.ErrorReadTimeout:
		responses()
	case frame.ErrorReadFailure, frame.ErrorWriteFailure:
		responses()
		add("failures", e.NumFailures)
		if reasons := failureReasons(e); reasons != "" {
			add("error_code_map", reasons)
		}
	default:
		return ""
	}
	return " info={" + strings.Join(info, ", ") + "}"
}

func failureReasons(e *frame.Error) string {
	if len(e.Failures) == 0 {
		return ""
	}
	reasons := make([]string, len(e.Failures))
	for i, f := range e.Failures {
		reasons[i] = fmt.Sprintf("'%s': '0x%04x'", f.Node, uint16(f.Reason))
	}
	return "{" + strings.Join(reasons, ", ") + "}"
}

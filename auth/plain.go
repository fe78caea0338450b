package auth

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// maxName is the longest name of a role in bytes. Names come back in errors and in the log, and anybody may send them.
const maxName = 255

// DecodePlain takes a token of SASL PLAIN apart (RFC 4616): an identity to act as, a NUL, the name of a role, a NUL, the
// password. Nobody can act as somebody else, and so the first part is ignored, as Cassandra does; the wording of the errors
// is Cassandra's where it has one.
func DecodePlain(token []byte) (name, password string, err error) {
	refuse := func(reason string) (string, string, error) { return "", "", errors.New(reason) }
	parts := bytes.Split(token, []byte{0})
	if len(parts) > 3 {
		return refuse(`Credential format error: username or password is empty or contains NUL(\0) character`)
	}
	if len(parts) == 1 || len(parts[len(parts)-1]) == 0 {
		return refuse("Password must not be null")
	}
	if len(parts) == 2 || len(parts[1]) == 0 {
		return refuse("Authentication ID must not be null")
	}
	if len(parts[1]) > maxName {
		return refuse("Authentication ID must not be longer than 255 bytes")
	}
	if !utf8.Valid(parts[1]) {
		return refuse("Authentication ID must be UTF-8")
	}
	return string(parts[1]), string(parts[2]), nil
}

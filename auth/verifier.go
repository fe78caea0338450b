package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// iterations is the work of a new Verifier: some milliseconds.
	iterations = 15_000
	// maxIterations is the most that a stored verifier may ask for: a damaged one must not stop the node.
	maxIterations = 10_000_000
	saltSize      = 16
	scheme        = "SCRAM-SHA-256"
)

// A Verifier recognizes a password without holding it. The zero Verifier recognizes none.
type Verifier struct {
	salt       []byte
	iterations int
	storedKey  [sha256.Size]byte
	serverKey  [sha256.Size]byte // by which a server proves to a SCRAM client that it knows the verifier
}

// NewVerifier returns a Verifier of a password, with a salt of its own.
func NewVerifier(password string) (Verifier, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	return derive(password, salt, iterations)
}

// derive computes the keys as RFC 5802 does, section 3.
func derive(password string, salt []byte, iterations int) (Verifier, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil { // FIPS mode refuses short salts
		return Verifier{}, fmt.Errorf("deriving a verifier of the password: %w", err)
	}
	return Verifier{
		salt: salt, iterations: iterations,
		storedKey: sha256.Sum256(mac(salted, "Client Key")),
		serverKey: [sha256.Size]byte(mac(salted, "Server Key")),
	}, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text)) // never fails
	return h.Sum(nil)
}

// Verify reports whether the password is the right one. How long it takes does not depend on that.
func (v Verifier) Verify(password string) bool {
	if v.iterations == 0 {
		return false
	}
	got, err := derive(password, v.salt, v.iterations)
	return err == nil && hmac.Equal(got.storedKey[:], v.storedKey[:])
}

// String returns the form in which a Verifier is stored, that of Postgres:
//
//	SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>
//
// with everything but the number in Base64. Who has it can try passwords at will: keep it as a secret.
func (v Verifier) String() string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s$%d:%s$%s:%s", scheme, v.iterations, encode(v.salt), encode(v.storedKey[:]), encode(v.serverKey[:]))
}

// errVerifier does not say more: the text is a secret.
var errVerifier = errors.New("the stored verifier of a password is not of the form " + scheme + "$iterations:salt$key:key")

// ParseVerifier reads what String has returned.
func ParseVerifier(text string) (Verifier, error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '$' || r == ':' })
	if len(parts) != 5 || parts[0] != scheme {
		return Verifier{}, errVerifier
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 1 || n > maxIterations {
		return Verifier{}, errVerifier
	}
	v := Verifier{iterations: n}
	if v.salt, err = base64.StdEncoding.DecodeString(parts[2]); err != nil || len(v.salt) == 0 {
		return Verifier{}, errVerifier
	}
	for i, key := range []*[sha256.Size]byte{&v.storedKey, &v.serverKey} {
		b, err := base64.StdEncoding.DecodeString(parts[3+i])
		if err != nil || len(b) != len(key) {
			return Verifier{}, errVerifier
		}
		copy(key[:], b)
	}
	if v.String() != text {
		return Verifier{}, errVerifier
	}
	return v, nil
}

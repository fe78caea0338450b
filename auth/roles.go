package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// concurrentChecks is how many passwords are checked at the same time.
const concurrentChecks = 2

// Options are what Roles take from the program around them. Zero fields take the default.
type Options struct {
	Now func() time.Time // default time.Now
}

// Roles are those who may log in. They are safe for concurrent use.
type Roles struct {
	now      func() time.Time
	checks   chan struct{}     // holds one element for each check under way
	key      [sha256.Size]byte // of what is remembered of right passwords
	failures *failures
	nobody   Verifier // checked in place of a role that does not exist

	mu    sync.Mutex
	roles map[string]role
}

type role struct {
	verifier Verifier
	seen     []byte // MAC of the password that has passed; nil before
}

// A WrongPasswordError says that there is no such role, or that its password is another one.
type WrongPasswordError struct {
	Role string
}

// Error returns Cassandra's words.
func (e *WrongPasswordError) Error() string {
	return fmt.Sprintf("Provided username %s and/or password are incorrect", e.Role)
}

// A WaitError says that an address has failed too often to be heard now. The password was not looked at.
type WaitError struct {
	Role string
	Wait time.Duration
}

func (e *WaitError) Error() string {
	return fmt.Sprintf("Too many failed logins with username %s from this address: wait for %s before the next",
		e.Role, (e.Wait + time.Second - 1).Truncate(time.Second))
}

// New returns Roles without a role.
func New(opts Options) (*Roles, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	r := &Roles{
		now: opts.Now, checks: make(chan struct{}, concurrentChecks), roles: make(map[string]role),
		failures: newFailures(maxPeers, opts.Now()),
	}
	rand.Read(r.key[:]) // never fails
	var err error
	r.nobody, err = NewVerifier(rand.Text())
	return r, err
}

// Set gives a role a password, from now on. The role is made if there is none.
func (r *Roles) Set(name string, v Verifier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.roles[name] = role{verifier: v}
}

// Login returns nil if the password is that of the role. Otherwise the error is a *WrongPasswordError, a *WaitError, or that
// of ctx, which ended while others were being checked.
func (r *Roles) Login(ctx context.Context, from netip.Addr, name, password string) error {
	if err := r.mayTry(from, name); err != nil {
		return err
	}
	known, seen := r.find(name)
	mac := r.remembered(name, password)
	if hmac.Equal(mac, seen) {
		r.failures.forget(from, name)
		return nil
	}
	select {
	case r.checks <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.checks }()
	// Of many logins that have waited here together, those that come behind the fifth failure must not be checked.
	if err := r.mayTry(from, name); err != nil {
		return err
	}
	if !known.Verify(password) {
		r.failures.add(from, name, r.now())
		return &WrongPasswordError{Role: name}
	}
	r.remember(name, known, mac)
	r.failures.forget(from, name)
	return nil
}

func (r *Roles) mayTry(from netip.Addr, name string) error {
	if wait := r.failures.wait(from, name, r.now()); wait > 0 {
		return &WaitError{Role: name, Wait: wait}
	}
	return nil
}

// find returns what the password of a role is checked by. A role that does not exist has a password that nobody knows.
func (r *Roles) find(name string) (v Verifier, seen []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.roles[name]; ok {
		return found.verifier, found.seen
	}
	return r.nobody, nil
}

// remembered returns what is kept of a right password. The name has no NUL, so one text has one meaning.
func (r *Roles) remembered(name, password string) []byte {
	return mac(r.key[:], name+"\x00"+password)
}

// remember keeps the MAC of a password that has passed, unless the role has got another one meanwhile.
func (r *Roles) remember(name string, checked Verifier, mac []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if current, ok := r.roles[name]; ok && current.verifier.storedKey == checked.storedKey {
		r.roles[name] = role{verifier: checked, seen: mac}
	}
}

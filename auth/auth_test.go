package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestVerifierOfTheRFC derives the keys of RFC 7677's example and compares its proofs.
func TestVerifierOfTheRFC(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	v, err := derive("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	// The server's signature in the example is the MAC of the messages under the server's key.
	messages := "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	if got := base64.StdEncoding.EncodeToString(mac(v.serverKey[:], messages)); got != "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Errorf("the server's signature is %s", got)
	}
}

func TestVerifier(t *testing.T) {
	v, err := NewVerifier("se$cret:1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseVerifier(v.String())
	if err != nil {
		t.Fatal(err)
	}
	if !again.Verify("se$cret:1") || again.Verify("se$cret:2") || again.Verify("") || (Verifier{}).Verify("") {
		t.Error("a verifier recognizes the wrong password, or not the right one")
	}
	if strings.Contains(v.String(), "se$cret:1") || !strings.HasPrefix(v.String(), "SCRAM-SHA-256$15000:") {
		t.Errorf("stored as %s", v)
	}
	other, err := NewVerifier("se$cret:1")
	if err != nil || other.String() == v.String() {
		t.Errorf("two verifiers have the same salt, or %v", err)
	}
}

func FuzzParseVerifier(f *testing.F) {
	f.Add(Verifier{salt: []byte("salt"), iterations: 1}.String())
	for _, seed := range []string{
		"", "SCRAM-SHA-256", "SCRAM-SHA-256$0:c2FsdA==$:", "SCRAM-SHA-256$-1:c2FsdA==$$", "SCRAM-SHA-256$99999999999:c2FsdA==$:",
		"MD5$1:c2FsdA==$:", "SCRAM-SHA-256$1:$$::",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVerifier(text)
		if err == nil && (v.String() != text || v.iterations < 1 || v.iterations > maxIterations) {
			t.Errorf("%q is read as %q", text, v)
		}
	})
}

func TestDecodePlain(t *testing.T) {
	check := func(token, name, password, want string) {
		t.Helper()
		gotName, gotPassword, err := DecodePlain([]byte(token))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if gotName != name || gotPassword != password || got != want {
			t.Errorf("%q: %q, %q, %v", token, gotName, gotPassword, err)
		}
	}
	check("\x00ada\x00love", "ada", "love", "")
	check("admin\x00ada\x00\xff", "ada", "\xff", "")
	check("", "", "", "Password must not be null")
	check("ada", "", "", "Password must not be null")
	check("\x00ada\x00", "", "", "Password must not be null")
	check("ada\x00love", "", "", "Authentication ID must not be null")
	check("\x00\x00love", "", "", "Authentication ID must not be null")
	check("\x00ada\x00love\x00", "", "", `Credential format error: username or password is empty or contains NUL(\0) character`)
	check("\x00a\xff\x00love", "", "", "Authentication ID must be UTF-8")
	check("\x00"+strings.Repeat("a", 256)+"\x00love", "", "", "Authentication ID must not be longer than 255 bytes")
}

func FuzzDecodePlain(f *testing.F) {
	f.Add([]byte("\x00ada\x00love"))
	f.Fuzz(func(t *testing.T, token []byte) {
		name, password, err := DecodePlain(token)
		if err == nil && !strings.HasSuffix(string(token), "\x00"+name+"\x00"+password) || (err != nil) != (name == "" || password == "") {
			t.Errorf("%q: %q, %q, %v", token, name, password, err)
		}
	})
}

// rolesWith returns Roles in which ada's password is love.
func rolesWith(t *testing.T) *Roles {
	t.Helper()
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewVerifier("love")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("ada", v)
	return r
}

func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func wrong(err error) bool {
	_, ok := errors.AsType[*WrongPasswordError](err)
	return ok
}

// waits returns the time of a *WaitError, 0 for other errors and none.
func waits(err error) time.Duration {
	if e, ok := errors.AsType[*WaitError](err); ok {
		return e.Wait
	}
	return 0
}

func TestLogin(t *testing.T) {
	r := rolesWith(t)
	login := func(name, password string) error { return r.Login(t.Context(), address(1), name, password) }
	for range 2 { // the second is not checked by the verifier
		if err := login("ada", "love"); err != nil {
			t.Error(err)
		}
	}
	for _, c := range [][2]string{{"ada", "hate"}, {"ada", ""}, {"bob", "love"}, {"", "love"}} {
		err := login(c[0], c[1])
		if !wrong(err) || err.Error() != "Provided username "+c[0]+" and/or password are incorrect" {
			t.Errorf("%q: %v", c, err)
		}
	}
	v, err := NewVerifier("new")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("ada", v)
	if err := login("ada", "love"); !wrong(err) {
		t.Errorf("the old password: %v", err)
	}
	if err := login("ada", "new"); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

// TestRememberedIsNotOutdated lets a role get another password while the old one is being checked.
func TestRememberedIsNotOutdated(t *testing.T) {
	r := rolesWith(t)
	checked, _ := r.find("ada")
	v, err := NewVerifier("new")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("ada", v)
	r.remember("ada", checked, r.remembered("ada", "love"))
	if err := r.Login(t.Context(), address(1), "ada", "love"); !wrong(err) {
		t.Errorf("the old password: %v", err)
	}
}

func TestBackoff(t *testing.T) {
	r, now := rolesWith(t), time.Now()
	r.now = func() time.Time { return now }
	login := func(from int, name, password string) error {
		return r.Login(t.Context(), address(from), name, password)
	}
	for i := range freeFailures {
		if err := login(1, "ada", fmt.Sprint(i)); !wrong(err) {
			t.Fatal(err)
		}
	}
	for _, seconds := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want := seconds * time.Second
		if got := waits(login(1, "ada", "love")); got != want { // although it is the right one
			t.Fatalf("waits for %s, want %s", got, want)
		}
		now = now.Add(want - 1)
		if got := waits(login(1, "ada", "love")); got != 1 {
			t.Fatalf("waits for %s after nearly %s", got, want)
		}
		now = now.Add(1)
		if err := login(1, "ada", "hate"); !wrong(err) {
			t.Fatal(err)
		}
	}
	if err := login(2, "ada", "love"); err != nil {
		t.Errorf("another address: %v", err)
	}
	if err := login(1, "bob", "love"); !wrong(err) {
		t.Errorf("another role: %v", err)
	}
	now = now.Add(longestWait)
	if err := login(1, "ada", "love"); err != nil {
		t.Fatal(err)
	}
	if err := login(1, "ada", "hate"); !wrong(err) || waits(login(1, "ada", "love")) != 0 {
		t.Errorf("failures are not forgotten after a success: %v", err)
	}
}

// TestUnknownRolesWait expects the same of a role that does not exist, or waiting would tell which do.
func TestUnknownRolesWait(t *testing.T) {
	r, now := rolesWith(t), time.Now()
	r.now = func() time.Time { return now }
	for range freeFailures {
		if err := r.Login(t.Context(), address(1), "bob", "x"); !wrong(err) {
			t.Fatal(err)
		}
	}
	err := r.Login(t.Context(), address(1), "bob", "x")
	if waits(err) != firstWait || err.Error() != "Too many failed logins with username bob from this address: wait for 1s before the next" {
		t.Error(err)
	}
}

// TestManyAtOnce tries many passwords before any of them has failed.
func TestManyAtOnce(t *testing.T) {
	r := rolesWith(t)
	fixed := time.Now()
	r.now = func() time.Time { return fixed }
	var (
		mu      sync.Mutex
		checked int
		all     sync.WaitGroup
	)
	for i := range 100 {
		all.Go(func() {
			if wrong(r.Login(t.Context(), address(1), "ada", fmt.Sprint(i))) {
				mu.Lock()
				checked++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if checked >= freeFailures+concurrentChecks {
		t.Errorf("%d passwords were checked", checked)
	}
}

// TestAFloodDoesNotHoldUp logs in while all checks are taken.
func TestAFloodDoesNotHoldUp(t *testing.T) {
	r := rolesWith(t)
	if err := r.Login(t.Context(), address(1), "ada", "love"); err != nil {
		t.Fatal(err)
	}
	for range concurrentChecks {
		r.checks <- struct{}{}
	}
	if err := r.Login(t.Context(), address(2), "ada", "love"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Login(ctx, address(3), "ada", "hate"); !errors.Is(err, context.Canceled) {
		t.Errorf("a password was checked beside %d others: %v", concurrentChecks, err)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	now := time.Now()
	f := newFailures(1000, now)
	for range freeFailures {
		f.add(address(0), "ada", now)
	}
	for i := range 100_000 {
		f.add(address(i+1), "ada", now)
		f.add(address(0), fmt.Sprint(i), now)
	}
	if len(f.peers) != 1000 {
		t.Errorf("%d addresses are remembered", len(f.peers))
	}
	if got := len(f.peers[address(0)].counts); got != rolesPerPeer {
		t.Errorf("an address has %d counts", got)
	}
	if f.wait(address(0), "ada", now) != firstWait {
		t.Error("others have reset the wait of an address")
	}
	if f.wait(address(0), "a further role", now) != longestWait {
		t.Error("further roles of an address do not wait")
	}
	if f.forget(address(0), "a further role"); f.wait(address(0), "another", now) != longestWait {
		t.Error("one success resets the count of many roles")
	}
	for range 100 {
		f.add(address(500_000), "ada", now)
	}
	if f.wait(address(500_000), "ada", now) != 0 {
		t.Error("an address without a count waits")
	}
	now = now.Add(forgetAfter)
	f.add(address(500_000), "ada", now)
	if len(f.peers) != 1 {
		t.Errorf("%d addresses are remembered after %s", len(f.peers), forgetAfter)
	}
}

func TestFailuresAreForgotten(t *testing.T) {
	now := time.Now()
	f := newFailures(10, now)
	for range freeFailures {
		f.add(address(1), "ada", now)
	}
	now = now.Add(forgetAfter)
	f.add(address(1), "ada", now)
	if f.wait(address(1), "ada", now) != 0 {
		t.Error("old failures count")
	}
}

func TestNetworks(t *testing.T) {
	check := func(a, b string, same bool) {
		t.Helper()
		if got := network(netip.MustParseAddr(a)) == network(netip.MustParseAddr(b)); got != same {
			t.Errorf("%s and %s: %t", a, b, got)
		}
	}
	check("10.0.0.1", "10.0.0.2", false)
	check("10.0.0.1", "::ffff:10.0.0.1", true)
	check("2001:db8::1", "2001:db8::ffff:1", true)
	check("2001:db8::1", "2001:db8:0:1::1", false)
	check("fe80::1%eth0", "fe80::1%eth1", true)
	if network(netip.Addr{}) != (netip.Addr{}) {
		t.Error("no address")
	}
}

func BenchmarkLogin(b *testing.B) {
	v, err := NewVerifier("love")
	if err != nil {
		b.Fatal(err)
	}
	r, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	r.Set("ada", v)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			r.Set("ada", v)
			if err := r.Login(b.Context(), address(1), "ada", "love"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			if err := r.Login(b.Context(), address(1), "ada", "love"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

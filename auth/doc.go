// Package auth knows who may log in: roles, the check of a password, and the waiting time of those who guess. It knows no
// protocol and no disk; whoever serves clients keeps the verifiers and translates the errors.
//
//	verifier := auth.NewVerifier(password)
//	store(verifier.String())
//	...
//	roles := auth.New(auth.Options{})
//	roles.Set("cassandra", verifier)
//	name, password, err := auth.DecodePlain(token)
//	if err == nil {
//		err = roles.Login(ctx, address, name, password)
//	}
//
// # What is kept of a password
//
// A Verifier in the form of SCRAM-SHA-256 (RFC 5802, RFC 7677): a salt, a number of iterations and two keys that follow from
// them and the password. It checks a password that a client has sent, as CQL drivers do, and would serve a protocol in which
// clients prove that they know the password without sending it, such as that of Postgres. There is no second, weaker
// form. The bytes of a password are taken as they are; SCRAM would first make equal what looks equal (SASLprep), which
// matters for other characters than those of ASCII alone.
//
// # What a guess costs
//
// A check takes some milliseconds of one core, so no more than two are made at the same time, however many clients ask.
// Others wait for their turn. An unknown role takes the same work and gets the same answer as a wrong password, so nobody
// learns which roles there are.
//
// A right password that was checked once is recognized at the next login without that work, so a thousand connections
// that come back after a restart of the network do not wait for each other, and a flood of wrong passwords does not hold
// up those who log in with the right one. What is remembered, one entry for each role, is a MAC of the password under a key
// that exists only in this process's memory.
//
// # Who guesses waits
//
// Failures are counted for each address and role. The fifth makes the address wait for a second until it may try this
// role again; each further one doubles that, up to a minute. A login that comes earlier is refused at once,
// even if its password is right. Holding back the answer would slow the same guesser no more, and each held connection would
// take one of the few places that the server has for clients that have not logged in: a guesser could fill them all and
// shut everybody out. Failures are forgotten ten minutes after the last one, and after a success.
//
// An IPv6 client owns a whole network of addresses, so there the first 64 bits count.
//
// The counts take bounded memory. An address has a count for each of its first seven roles and one for all others together. Of
// 32,768 addresses that are remembered, none is given up for a newer one before it has been quiet for ten minutes:
// otherwise a guesser could reset its count by many failures from elsewhere. When there is no place, the failures of
// further addresses are not counted. Nobody is locked out by that, and those who guess are held up by the two checks
// at the same time alone.
package auth

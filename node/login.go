package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/iliumdb/ilium/auth"
	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

const (
	// superuser is the role that a new node has, as Cassandra's do.
	superuser = "cassandra"
	// rolePrefix begins the names of the values that hold the verifiers of passwords.
	rolePrefix = "node/role/"
)

// errNoPassword ends the start of a server that nobody could log in to.
var errNoPassword = errors.New("the role " + superuser + " has no password yet: set superuser_password or superuser_password_file")

// authenticator returns what asks clients for passwords, nil if everybody is let in.
func (n *Node) authenticator(ctx context.Context, opts ServeOptions) (cql.Authenticator, error) {
	if n.config.Authenticator != config.PasswordAuthenticator {
		return nil, nil
	}
	stored, err := n.storedRoles()
	if err != nil {
		return nil, err
	}
	if err := n.setSuperuser(ctx, stored, opts); err != nil {
		return nil, err
	}
	roles, err := auth.New(auth.Options{Now: n.opts.Now})
	if err != nil {
		return nil, err
	}
	for name, verifier := range stored {
		roles.Set(name, verifier)
	}
	return passwords{roles}, nil
}

// storedRoles returns the roles with their verifiers.
func (n *Node) storedRoles() (map[string]auth.Verifier, error) {
	roles := make(map[string]auth.Verifier)
	err := n.engine.Values(rolePrefix, func(name string, value []byte) error {
		role := strings.TrimPrefix(name, rolePrefix)
		verifier, err := auth.ParseVerifier(string(value))
		if err != nil {
			return fmt.Errorf("role %s: %w", role, err)
		}
		roles[role] = verifier
		return nil
	})
	return roles, err
}

// setSuperuser gives the superuser the password of the settings, or a generated one if there is neither that nor an older one.
// A password in the settings wins over a stored one: setting it is how a lost password is replaced.
func (n *Node) setSuperuser(ctx context.Context, stored map[string]auth.Verifier, opts ServeOptions) error {
	password, err := n.configuredPassword()
	if err != nil {
		return err
	}
	current, exists := stored[superuser]
	switch {
	case exists && (password == "" || current.Verify(password)):
		return nil
	case password == "" && opts.Generated == nil:
		return errNoPassword
	case password == "":
		// Shown before it is stored: if the node ends in between, the next start generates and shows another one. The other
		// way round, nobody would ever know the password.
		if password, err = opts.generate(); err != nil {
			return err
		}
	case exists:
		n.opts.Log.Warn("the password of the superuser is replaced by that of the settings", "role", superuser)
	}
	verifier, err := auth.NewVerifier(password)
	if err != nil {
		return err
	}
	stored[superuser] = verifier
	return n.engine.Put(ctx, storage.Put{Name: rolePrefix + superuser, Value: []byte(verifier.String())})
}

// configuredPassword returns the password that the settings give to the superuser, "" if they give none.
func (n *Node) configuredPassword() (string, error) {
	file := n.config.SuperuserPasswordFile
	if file == "" {
		return string(n.config.SuperuserPassword), nil
	}
	content, err := config.ReadSecretFile(file)
	if err != nil {
		return "", fmt.Errorf("superuser_password_file %s: %w", file, err)
	}
	line, rest, _ := strings.Cut(string(content), "\n")
	line = strings.TrimSuffix(line, "\r")
	switch {
	case line == "":
		return "", fmt.Errorf("superuser_password_file %s: its first line is empty", file)
	case strings.TrimSpace(rest) != "":
		return "", fmt.Errorf("superuser_password_file %s: it has more than one line", file)
	case strings.Contains(line, "\x00"):
		return "", fmt.Errorf("superuser_password_file %s: it contains a NUL, which no client can send in a password", file)
	}
	return line, nil
}

// passwords asks clients for a name and a password.
type passwords struct {
	roles *auth.Roles
}

// Name implements cql.Authenticator.
func (passwords) Name() string { return frame.PasswordAuthenticator }

// Begin implements cql.Authenticator.
func (p passwords) Begin(client netip.Addr) cql.Negotiation { return login{p.roles, client} }

// A login is the talk with one client. It is over after one answer.
type login struct {
	roles *auth.Roles
	from  netip.Addr
}

// Respond implements cql.Negotiation.
func (l login) Respond(ctx context.Context, token []byte) (cql.Step, error) {
	role, password, err := auth.DecodePlain(token)
	if err == nil {
		err = l.roles.Login(ctx, l.from, role, password)
	}
	switch {
	case err == nil:
		return cql.Step{Done: true, Role: role}, nil
	case errors.Is(err, ctx.Err()):
		return cql.Step{}, err
	default: // all other errors of package auth are for the client
		return cql.Step{}, &cql.CredentialsError{Message: err.Error()}
	}
}

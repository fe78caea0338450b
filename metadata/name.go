package metadata

import (
	"strings"
	"unicode/utf8"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// Longest names, in characters: those of Cassandra, where they become names of directories.
const (
	maxKeyspaceName = 48
	maxTableName    = 222
)

// Keyspaces of the system, which no statement can change. Those that Cassandra keeps on each node
// for itself are not even found by it under their name in a CREATE KEYSPACE.
var (
	localKeyspaces  = map[string]bool{"system": true, "system_schema": true, "system_views": true, "system_virtual_schema": true}
	sharedKeyspaces = map[string]bool{"system_auth": true, "system_distributed": true, "system_traces": true}
)

// IsSystem reports whether a keyspace is the system's by its name.
func IsSystem(keyspace string) bool { return isLocal(keyspace) || isShared(keyspace) }

func isVirtual(keyspace string) bool {
	return strings.EqualFold(keyspace, "system_views") || strings.EqualFold(keyspace, "system_virtual_schema")
}
func isLocal(keyspace string) bool  { return localKeyspaces[strings.ToLower(keyspace)] }
func isShared(keyspace string) bool { return sharedKeyspaces[strings.ToLower(keyspace)] }

// keyspaceOf returns the keyspace of a name: the one in front of it or that of the session.
func (c *Change) keyspaceOf(name ast.Qualified) (string, error) {
	switch {
	case name.Keyspace.Text != "":
		return name.Keyspace.Text, nil
	case c.Keyspace != "":
		return c.Keyspace, nil
	}
	return "", schema.Invalid("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename")
}

// authorize refuses changes of what is in a keyspace of the system. permission is the word that the
// statement begins with. Without a table the change concerns any of them: CREATE, and all about types.
func authorize(permission, keyspace, table string) error {
	switch {
	case isLocal(keyspace):
		return notModifiable(keyspace)
	case isShared(keyspace) && table == "":
		return schema.Unauthorized("Cannot %s <all tables in %s>", permission, keyspace)
	case isShared(keyspace):
		return schema.Unauthorized("Cannot %s <table %s.%s>", permission, keyspace, table)
	}
	return nil
}

// target returns the keyspace of what a statement creates, changes or drops, after the checks that do
// not need a schema. permission and table are as for authorize.
func (c *Change) target(name ast.Qualified, permission, table string) (string, error) {
	keyspace, err := c.keyspaceOf(name)
	if err == nil {
		err = authorize(permission, keyspace, table)
	}
	if err == nil {
		err = checkKeyspaceName(keyspace)
	}
	return keyspace, err
}

func notModifiable(keyspace string) error {
	return schema.Unauthorized("%s keyspace is not user-modifiable.", keyspace)
}

func checkKeyspaceName(name string) error {
	if !isWord(name) {
		return schema.Invalid("Keyspace name must not be empty and must contain alphanumeric or underscore characters only (got \"%s\")", name)
	}
	if n := utf8.RuneCountInString(name); n > maxKeyspaceName {
		return schema.Invalid("Keyspace name must not be more than %d characters long (got %d characters for \"%s\")", maxKeyspaceName, n, name)
	}
	return nil
}

func checkTableName(keyspace, name string) error {
	if !isWord(name) {
		return schema.Misconfigured(`%s.%s: Table name must not be empty or not contain non-alphanumeric-underscore characters (got "%s")`,
			keyspace, name, name)
	}
	if n := utf8.RuneCountInString(name); n > maxTableName {
		return schema.Misconfigured(`%s.%s: Table name must not be more than %d characters long (got %d characters for "%s")`,
			keyspace, name, maxTableName, n, name)
	}
	return nil
}

// isWord reports whether name consists of ASCII letters, digits and underscores.
func isWord(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		default:
			return false
		}
	}
	return name != ""
}

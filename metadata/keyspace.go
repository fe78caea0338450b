package metadata

import (
	"maps"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// Properties of keyspaces.
const (
	replicationProperty   = "replication"
	durableWritesProperty = "durable_writes"
)

func checkKeyspaceProperties(properties []ast.Property) error {
	for _, p := range properties {
		if p.Name.Text != replicationProperty && p.Name.Text != durableWritesProperty {
			return schema.Malformed("Unknown property '%s'", p.Name.Text)
		}
	}
	return nil
}

func createKeyspace(s *schema.Schema, c *Change, st *ast.CreateKeyspace) (*schema.Schema, *Event, error) {
	name := st.Keyspace.Text
	if isLocal(name) {
		return nil, nil, schema.Invalid("System keyspace '%s' is not user-modifiable", name)
	}
	if err := checkKeyspaceName(name); err != nil {
		return nil, nil, err
	}
	if err := checkKeyspaceProperties(st.Properties); err != nil {
		return nil, nil, err
	}
	replication := find(st.Properties, replicationProperty)
	if replication == nil {
		return nil, nil, schema.Invalid("Missing mandatory option '%s'", replicationProperty)
	}
	if s.Keyspace(name) != nil || isShared(name) {
		if st.IfNotExists {
			return s, nil, nil
		}
		return nil, nil, &schema.AlreadyExistsError{Keyspace: name}
	}
	options, err := mapOf(replicationProperty, replication)
	if err != nil {
		return nil, nil, err
	}
	k := schema.NewKeyspace(name, schema.Replication{}, true)
	if err := setDurableWrites(k, st.Properties); err != nil {
		return nil, nil, err
	}
	if k.Replication, err = c.replication(name, options, schema.Replication{}); err != nil {
		return nil, nil, err
	}
	return s.With(k), &Event{Created, Keyspace, name, ""}, nil
}

// setDurableWrites changes a keyspace that is not shared yet.
func setDurableWrites(k *schema.Keyspace, properties []ast.Property) (err error) {
	if value := find(properties, durableWritesProperty); value != nil {
		k.DurableWrites, err = boolOf(durableWritesProperty, value)
	}
	return err
}

func alterKeyspace(s *schema.Schema, c *Change, st *ast.AlterKeyspace) (*schema.Schema, *Event, error) {
	name := st.Keyspace.Text
	if isLocal(name) {
		return nil, nil, notModifiable(name)
	}
	if err := checkKeyspaceName(name); err != nil {
		return nil, nil, err
	}
	if err := checkKeyspaceProperties(st.Properties); err != nil {
		return nil, nil, err
	}
	if isShared(name) {
		return nil, nil, schema.Unauthorized("Cannot ALTER <keyspace %s>", name)
	}
	old := s.Keyspace(name)
	if old == nil {
		if st.IfExists {
			return s, nil, nil
		}
		return nil, nil, noKeyspace(name)
	}
	k := old.Altered()
	if err := setDurableWrites(k, st.Properties); err != nil {
		return nil, nil, err
	}
	if value := find(st.Properties, replicationProperty); value != nil {
		options, err := mapOf(replicationProperty, value)
		if err != nil {
			return nil, nil, err
		}
		if len(options) > 0 { // an empty map leaves replication as it is
			if k.Replication, err = c.replication(name, options, old.Replication); err != nil {
				return nil, nil, err
			}
		}
	}
	if k.DurableWrites == old.DurableWrites && k.Replication.Class == old.Replication.Class &&
		maps.Equal(k.Replication.Options, old.Replication.Options) {
		return s, nil, nil
	}
	return s.With(k), &Event{Updated, Keyspace, name, ""}, nil
}

func dropKeyspace(s *schema.Schema, st *ast.DropKeyspace) (*schema.Schema, *Event, error) {
	name := st.Keyspace.Text
	if isLocal(name) {
		return nil, nil, notModifiable(name)
	}
	if isShared(name) {
		return nil, nil, schema.Unauthorized("Cannot DROP <keyspace %s>", name)
	}
	if err := checkKeyspaceName(name); err != nil {
		return nil, nil, err
	}
	if s.Keyspace(name) == nil {
		if st.IfExists {
			return s, nil, nil
		}
		return nil, nil, noKeyspace(name)
	}
	return s.Without(name), &Event{Dropped, Keyspace, name, ""}, nil
}

func noKeyspace(name string) error { return schema.Invalid("Keyspace '%s' doesn't exist", name) }

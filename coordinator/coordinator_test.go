package coordinator

import (
	"context"
	"errors"
	"testing"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema"
)

func TestAvailability(t *testing.T) {
	c := New(nil, "dc1")
	check := func(class string, options map[string]string, level consistency.Level, required, alive int) {
		t.Helper()
		k := schema.NewKeyspace("ks", schema.Replication{Class: class, Options: options}, true)
		err := c.check(k, level)
		var unavailable *UnavailableError
		switch {
		case required == 0 && err != nil:
			t.Errorf("%s: %v", level, err)
		case required > 0 && !errors.As(err, &unavailable):
			t.Errorf("%s is available", level)
		case required > 0 && (unavailable.Required != required || unavailable.Alive != alive || unavailable.Level != level):
			t.Errorf("%s: %+v, want %d required and %d alive", level, unavailable, required, alive)
		}
		if required > 0 {
			if err := c.Write(context.Background(), nil, level, Write{Keyspace: k}); !errors.As(err, &unavailable) {
				t.Errorf("Write: %v", err)
			}
			if _, err := c.Read(nil, k, level, nil); !errors.As(err, &unavailable) {
				t.Errorf("Read: %v", err)
			}
			if _, err := c.Scan(nil, k, level, nil); !errors.As(err, &unavailable) {
				t.Errorf("Scan: %v", err)
			}
		}
	}
	one, three := map[string]string{"replication_factor": "1"}, map[string]string{"replication_factor": "3"}
	for _, level := range []consistency.Level{consistency.One, consistency.Quorum, consistency.All, consistency.LocalQuorum, consistency.EachQuorum, consistency.LocalOne} {
		check("SimpleStrategy", one, level, 0, 0)
		check("LocalStrategy", nil, level, 0, 0)
	}
	check("SimpleStrategy", one, consistency.Two, 2, 1)
	check("SimpleStrategy", three, consistency.One, 0, 0)
	check("SimpleStrategy", three, consistency.Quorum, 2, 1)
	check("SimpleStrategy", three, consistency.All, 3, 1)
	two := map[string]string{"dc1": "1", "dc2": "1"}
	check("NetworkTopologyStrategy", two, consistency.LocalQuorum, 0, 0)
	check("NetworkTopologyStrategy", two, consistency.Quorum, 2, 1)
	check("NetworkTopologyStrategy", two, consistency.EachQuorum, 2, 1)
	check("NetworkTopologyStrategy", map[string]string{"dc1": "0"}, consistency.One, 1, 0)
	check("NetworkTopologyStrategy", map[string]string{"dc2": "3"}, consistency.LocalOne, 1, 0)
}

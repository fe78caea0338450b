package cluster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// ID returns the id of a member that is up; zero if it is not.
func (c *Cluster) ID(i int) (id ring.HostID) {
	_ = c.Do(i, func(s *node.Session) error {
		var u cqltype.UUID
		err := s.Query("SELECT host_id FROM system.local").Scan(background(), &u)
		id = ring.HostID(u)
		return err
	})
	return id
}

// Ring describes the ring as a member that is up knows it: ids and tokens. It says so if that member is not up.
func (c *Cluster) Ring(i int) string {
	var lines []string
	err := c.Do(i, func(s *node.Session) error {
		for _, query := range []string{"SELECT host_id, tokens FROM system.local", "SELECT host_id, tokens FROM system.peers_v2"} {
			rows := s.Query(query).Iter(background())
			for rows.Next() {
				var id cqltype.UUID
				var tokens []string
				if err := rows.Scan(&id, &tokens); err != nil {
					return err
				}
				slices.Sort(tokens)
				lines = append(lines, fmt.Sprintf("%s %v", ring.HostID(id), tokens))
			}
			if err := rows.Close(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err.Error()
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Agree reports whether all members that are up know the same ring of some size, and the same schema. why says what is
// different.
func (c *Cluster) Agree(size int) (why string) {
	up := c.Up()
	if len(up) == 0 {
		return "nobody is up"
	}
	first := c.Ring(up[0])
	if n := strings.Count(first, "\n") + 1; n != size {
		return fmt.Sprintf("member %d knows a ring of %d:\n%s", up[0], n, first)
	}
	one := c.Member(up[0]).Node()
	for _, i := range up[1:] {
		if other := c.Ring(i); other != first {
			return fmt.Sprintf("members %d and %d know different rings:\n%s\n%s", up[0], i, first, other)
		}
		n := c.Member(i).Node()
		if one == nil || n == nil {
			return "a member went down"
		}
		if d := n.Schema().Diff(one.Schema()); len(d) > 0 {
			return fmt.Sprintf("members %d and %d know different schemas: %v", up[0], i, d)
		}
	}
	return ""
}

// MustAgree fails if members do not agree in time.
func (c *Cluster) MustAgree(size int, atMost time.Duration) {
	c.T.Helper()
	if !c.Await(atMost, func() bool { return c.Agree(size) == "" }) {
		c.T.Errorf("after %s %s", atMost, c.Agree(size))
	}
}

// Opinions returns who thinks that who is up, as the journal tells it, of nodes that have not been started again.
func (c *Cluster) Opinions() map[int]map[string]bool {
	out := map[int]map[string]bool{}
	for _, l := range c.Changes() {
		if out[l.By] == nil {
			out[l.By] = map[string]bool{}
		}
		out[l.By][l.Node] = l.Up
	}
	return out
}

// AllUp reports whether all members that are up think so of each other. Members must not have been started again.
func (c *Cluster) AllUp() bool {
	opinions := c.Opinions()
	ids := map[int]string{}
	for _, i := range c.Up() {
		ids[i] = c.ID(i).String()
	}
	for i := range ids {
		for j, id := range ids {
			if i != j && !opinions[i][id] {
				return false
			}
		}
	}
	return true
}

// Exec carries out a statement at a member.
func (c *Cluster) Exec(i int, text string) error {
	return c.Do(i, func(s *node.Session) error { return s.Query(text).Exec(background()) })
}

package node

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/netip"
	"time"

	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/wire/http"
)

// An operator shows and does what requests of operators ask for.
type operator struct {
	node    *Node
	started time.Time
}

// refuse gives an error the status that it is answered by, if it is known not to be a failure of the node.
func refuse(err error) error {
	status := 0
	switch {
	case isA[*metadata.UnknownNodeError](err):
		status = nethttp.StatusNotFound
	case isA[*NotInClusterError](err), isA[*metadata.ChangeInProgressError](err), isA[*ring.ChangeError](err), isA[*metadata.RefusedError](err):
		status = nethttp.StatusConflict
	case isA[*schema.InvalidRequestError](err):
		status = nethttp.StatusBadRequest
	case isA[*metadata.NoLeaderError](err):
		status = nethttp.StatusServiceUnavailable
	default:
		return err
	}
	return &http.RefusedError{Status: status, Cause: err}
}

func isA[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func conflict(format string, args ...any) error {
	return &http.RefusedError{Status: nethttp.StatusConflict, Cause: fmt.Errorf(format, args...)}
}

// Ready implements http.Operator.
func (o *operator) Ready() error {
	n := o.node
	if n.server() == nil {
		return errors.New("the node does not serve clients")
	}
	if e := n.view.Topology().Endpoint(n.view.Self()); e == nil || e.State == ring.Joining {
		return errors.New("the node is not a part of the cluster")
	}
	return nil
}

// Decommission implements http.Operator.
func (o *operator) Decommission(ctx context.Context, force bool, told func(string)) error {
	t, self := o.node.view.Topology(), o.node.view.Self()
	if o.node.cluster == nil {
		return refuse(&NotInClusterError{})
	}
	others := 0
	for _, e := range t.Endpoints() {
		if e.ID != self && e.State == ring.Normal {
			others++
		}
	}
	switch e := t.Endpoint(self); {
	case e == nil, e.State == ring.Joining:
		return conflict("the node is not a part of the cluster")
	case others == 0:
		return conflict("this is the last node of the cluster: nobody is left to take its data")
	case e.State == ring.Normal && !force: // that of a node that leaves already was forced, or there were enough
		if err := checkReplication(t, e, o.node.Schema()); err != nil {
			return err
		}
	}
	return refuse(o.node.Decommission(ctx, told))
}

// checkReplication returns an error if a keyspace cannot have its replicas without a node.
func checkReplication(t *ring.Topology, without *ring.Endpoint, s *schema.Schema) error {
	all, near := 0, 0
	for _, e := range t.Endpoints() {
		if e.State != ring.Normal {
			continue
		}
		if all++; e.Datacenter == without.Datacenter {
			near++
		}
	}
	for k := range s.Keyspaces() {
		replication, err := ring.ParseReplication(k.Replication.Class, k.Replication.Options)
		if err != nil {
			return err
		}
		factor, nodes := replication.Factor(), all
		if len(replication.Datacenters()) > 0 {
			factor, nodes = replication.FactorIn(without.Datacenter), near
		}
		if nodes <= factor {
			return conflict("Not enough live nodes to maintain replication factor in keyspace %s (RF = %d, N = %d). "+
				"Perform a forceful decommission to ignore.", k.Name, factor, nodes)
		}
	}
	return nil
}

// RemoveNode implements http.Operator.
func (o *operator) RemoveNode(ctx context.Context, id string, told func(string)) error {
	e, err := o.endpoint(id)
	if err != nil {
		return err
	}
	switch {
	case e.ID == o.node.view.Self():
		return conflict("node %s is this one: it can be decommissioned, not removed", e.ID)
	case o.node.view.IsAlive(e.ID):
		return conflict("node %s is alive: decommission it there", e.ID)
	}
	return refuse(o.node.RemoveNode(ctx, e.ID, told))
}

// AbortJoin implements http.Operator.
func (o *operator) AbortJoin(ctx context.Context, id string, told func(string)) error {
	e, err := o.endpoint(id)
	if err != nil {
		return err
	}
	if e.State != ring.Joining {
		return conflict("node %s does not join: it is %s", e.ID, e.State)
	}
	return refuse(o.node.cluster.leave(ctx, e.ID, told))
}

// endpoint returns the node that has an id, or an address if it is the only one there.
func (o *operator) endpoint(text string) (*ring.Endpoint, error) {
	if o.node.cluster == nil {
		return nil, refuse(&NotInClusterError{})
	}
	if e := findEndpoint(o.node.view.Topology(), text); e != nil {
		return e, nil
	}
	return nil, &http.RefusedError{Status: nethttp.StatusNotFound, Cause: fmt.Errorf("there is no node %q, or more than one", text)}
}

// findEndpoint returns the endpoint that has an id, or an address if it is the only one there, or nil.
func findEndpoint(t *ring.Topology, text string) *ring.Endpoint {
	if id, err := ring.ParseHostID(text); err == nil {
		return t.Endpoint(id)
	}
	whole, wholeErr := netip.ParseAddrPort(text)
	host, hostErr := netip.ParseAddr(text)
	var found *ring.Endpoint
	for _, e := range t.Endpoints() {
		if (wholeErr != nil || e.Address != whole) && (hostErr != nil || e.Address.Addr() != host) {
			continue
		}
		if found != nil {
			return nil
		}
		found = e
	}
	return found
}

// TruncateHints implements http.Operator. The node that the hints are for need not be in the cluster anymore.
func (o *operator) TruncateHints(_ context.Context, text string) error {
	c := o.node.cluster
	switch {
	case c == nil:
		return refuse(&NotInClusterError{})
	case c.hints == nil:
		return conflict("no hints are kept: hinted_handoff_enabled is false")
	case text == "":
		c.hints.TruncateAll()
		return nil
	}
	id, err := ring.ParseHostID(text)
	if err != nil {
		e, err := o.endpoint(text)
		if err != nil {
			return err
		}
		id = e.ID
	}
	c.hints.Truncate(id)
	return nil
}

// Compact implements http.Operator.
func (o *operator) Compact(ctx context.Context, keyspace, table string, told func(string)) error {
	keyspaces, err := o.keyspaces(keyspace)
	if err != nil {
		return err
	}
	if table != "" {
		return refuse(o.node.Compact(ctx, keyspace, table))
	}
	for _, k := range keyspaces {
		for t := range k.Tables() {
			told("compacting " + t.String())
			// A table that was dropped meanwhile needs nothing.
			if err := o.node.Compact(ctx, k.Name, t.Name); err != nil && o.node.Schema().TableOf(t.Incarnation) != nil {
				return refuse(err)
			}
		}
	}
	return nil
}

// keyspaces returns the keyspace of a name, or all.
func (o *operator) keyspaces(name string) ([]*schema.Keyspace, error) {
	var out []*schema.Keyspace
	for k := range o.node.Schema().Keyspaces() {
		if name == "" || k.Name == name {
			out = append(out, k)
		}
	}
	if name != "" && len(out) == 0 {
		//lint:ignore ST1005 Cassandra's wording
		return nil, &http.RefusedError{Status: nethttp.StatusNotFound, Cause: fmt.Errorf("The keyspace %s, does not exist", name)}
	}
	return out, nil
}

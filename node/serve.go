package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/wire/cql"
)

// drainTimeout is how long Stop waits for requests under way.
const drainTimeout = 10 * time.Second

// ServeOptions are what Serve takes beside the configuration.
type ServeOptions struct {
	// Insecure allows addresses that other machines can reach although nobody is asked for a password.
	Insecure bool
}

// An ExposedError says that Serve has refused to listen: everybody who reaches the address could read
// and change everything.
type ExposedError struct {
	Address string
}

func (e *ExposedError) Error() string {
	return fmt.Sprintf("rpc_address %s can be reached from other machines, and clients are not authenticated: "+
		"everybody there could read and change everything", e.Address)
}

// Serve makes the node take clients of the CQL native protocol at rpc_address and native_transport_port, until it is
// stopped. It returns the address it listens at. It may be called once. ctx bounds the call alone.
func (n *Node) Serve(ctx context.Context, opts ServeOptions) (net.Addr, error) {
	address := net.JoinHostPort(n.config.RPCAddress, strconv.Itoa(n.config.NativeTransportPort))
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if bound, ok := listener.Addr().(*net.TCPAddr); ok && !bound.IP.IsLoopback() && !opts.Insecure {
		return nil, errors.Join(&ExposedError{Address: n.config.RPCAddress}, listener.Close())
	}
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	if n.clients.stopped || n.clients.server != nil {
		return nil, errors.Join(errors.New("the node is serving already, or has been stopped"), listener.Close())
	}
	n.announce(listener.Addr())
	server := cql.New(n.executor, n.serverOptions())
	n.clients.server = server
	n.clients.done.Go(func() {
		if err := server.Serve(listener); err != nil {
			n.fail(fmt.Errorf("serving the CQL native protocol: %w", err))
		}
	})
	return listener.Addr(), nil
}

func (n *Node) serverOptions() cql.Options {
	cfg := n.config
	derived := func(size int64, part int64) int64 {
		if size != 0 {
			return size
		}
		return int64(cfg.Memory) / part
	}
	return cql.Options{
		MaxFrame:            int(cfg.NativeTransportMaxFrameSize),
		MaxConnections:      cfg.NativeTransportMaxConcurrentConnections,
		MaxConnectionsPerIP: cfg.NativeTransportMaxConcurrentConnectionsPerIP,
		MaxInFlight:         derived(int64(cfg.NativeTransportMaxRequestDataInFlight), 10),
		MaxInFlightPerIP:    derived(int64(cfg.NativeTransportMaxRequestDataInFlightPerIP), 40),
		MaxBacklog:          int64(cfg.Memory) / 16,
		PreparedCache:       int64(cfg.PreparedStatementsCacheSize),
		Log:                 n.opts.Log,
	}
}

// stopServing lets requests under way finish and closes all connections.
func (n *Node) stopServing() error {
	n.clients.mu.Lock()
	n.clients.stopped = true
	server := n.clients.server
	n.clients.mu.Unlock()
	if server == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	n.clients.done.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("clients had requests under way for %s and were disconnected", drainTimeout)
	}
	return err
}

// schemaChanged tells clients of a change of the schema. event is nil for TRUNCATE.
func (n *Node) schemaChanged(_ *schema.Schema, event *metadata.Event) {
	n.clients.mu.Lock()
	server := n.clients.server
	n.clients.mu.Unlock()
	if server != nil && event != nil {
		server.SchemaChanged(event)
	}
}

// clientList describes who is connected.
func (n *Node) clientList() []system.Client {
	n.clients.mu.Lock()
	server := n.clients.server
	n.clients.mu.Unlock()
	if server == nil {
		return nil
	}
	return server.Clients()
}

package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/wire/cql"
)

// drainTimeout is how long Stop waits for requests under way.
const drainTimeout = 10 * time.Second

// ServeOptions are what Serve takes beside the configuration.
type ServeOptions struct {
	// Insecure allows addresses that other machines can reach although clients are not asked who they are, or say
	// their passwords in clear.
	Insecure bool

	// Generated shows a password that the node has made up for a role which has none, before it holds. It will not be
	// shown again. If it is nil, or returns an error, Serve fails. It is not called if the settings give a password.
	Generated func(role, password string) error
}

func (o ServeOptions) generate() (string, error) {
	password := rand.Text()
	if err := o.Generated(superuser, password); err != nil {
		return "", fmt.Errorf("showing the generated password: %w", err)
	}
	return password, nil
}

// An ExposedError says that the node has refused to listen where other machines can connect.
type ExposedError struct {
	Setting string // rpc_address for clients, listen_address for other nodes
	Address string
	Danger  string // as Exposure returns it
}

func (e *ExposedError) Error() string {
	return fmt.Sprintf("%s %s can be reached from other machines, and %s", e.Setting, e.Address, e.Danger)
}

// Exposure returns what is dangerous about serving clients at an address with the node's settings, "" if nothing is.
func (n *Node) Exposure(address net.Addr) string {
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return ""
	}
	cfg := n.config
	switch {
	case cfg.Authenticator == config.AllowAllAuthenticator && !cfg.ClientEncryptionRequireClientAuth:
		return "clients are not authenticated: everybody there could read and change everything; " +
			"authenticator: PasswordAuthenticator asks for passwords"
	case !cfg.ClientEncryptionEnabled:
		return "passwords and data would cross the network in clear; client_encryption_enabled protects them"
	}
	return ""
}

// Serve makes the node take clients of the CQL native protocol at rpc_address and native_transport_port, until it is
// stopped. It returns the address it listens at. It may be called once. ctx bounds the call alone.
func (n *Node) Serve(ctx context.Context, opts ServeOptions) (net.Addr, error) {
	address := net.JoinHostPort(n.config.RPCAddress, strconv.Itoa(n.config.NativeTransportPort))
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if danger := n.Exposure(listener.Addr()); danger != "" && !opts.Insecure {
		return nil, errors.Join(&ExposedError{Setting: "rpc_address", Address: n.config.RPCAddress, Danger: danger}, listener.Close())
	}
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	if n.clients.stopped || n.clients.server != nil {
		return nil, errors.Join(errors.New("the node is serving already, or has been stopped"), listener.Close())
	}
	if err := n.openServers(ctx, opts); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	n.announce(listener.Addr())
	server := cql.New(n.executor, *n.clients.options)
	n.clients.server = server
	n.clients.done.Go(func() {
		if err := server.Serve(listener); err != nil {
			n.fail(fmt.Errorf("serving the CQL native protocol: %w", err))
		}
	})
	return listener.Addr(), nil
}

// openServers makes the options of the server for clients, and opens that for operators, unless that was done before. The
// caller holds the mutex of clients.
func (n *Node) openServers(ctx context.Context, opts ServeOptions) error {
	if n.clients.options != nil {
		return nil
	}
	options, err := n.serverOptions(ctx, opts)
	if err == nil {
		n.clients.http, err = n.serveHTTP(ctx, options, opts)
	}
	if err == nil {
		n.clients.options = &options
	}
	return err
}

// openOperators opens the server for operators before that for clients.
func (n *Node) openOperators(ctx context.Context, opts ServeOptions) error {
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	return n.openServers(ctx, opts)
}

// serverOptions returns the options of the server, with all that clients need to log in.
func (n *Node) serverOptions(ctx context.Context, opts ServeOptions) (cql.Options, error) {
	options := n.serverLimits()
	if n.cluster != nil {
		options.TraceSource = n.cluster.address // by which other nodes know it, as it knows them in traces
	}
	var err error
	if options.TLS, err = n.tlsConfig(); err != nil {
		return options, err
	}
	options.Authenticator, err = n.authenticator(ctx, opts)
	return options, err
}

func (n *Node) serverLimits() cql.Options {
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
		Traces:              n.traces,
		PreparedCache:       int64(cfg.PreparedStatementsCacheSize),
		Log:                 n.opts.Log,
	}
}

// stopServing lets requests under way finish and closes all connections.
func (n *Node) stopServing() error {
	n.clients.mu.Lock()
	n.clients.stopped = true
	server, operators := n.clients.server, n.clients.http
	n.clients.mu.Unlock()
	stopped := operators.stop()
	if server == nil {
		return stopped
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	n.clients.done.Wait()
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("clients had requests under way for %s and were disconnected", drainTimeout)
	}
	return errors.Join(stopped, err)
}

// server returns what serves clients, or nil.
func (n *Node) server() *cql.Server {
	n.clients.mu.Lock()
	defer n.clients.mu.Unlock()
	return n.clients.server
}

// schemaChanged tells clients of a change of the schema. event is nil for TRUNCATE.
func (n *Node) schemaChanged(_ *schema.Schema, event *metadata.Event) {
	n.epochs.wake()
	if n.cluster != nil {
		n.cluster.watch.wake()
	}
	if server := n.server(); server != nil && event != nil {
		server.SchemaChanged(event)
	}
}

// clientList describes who is connected.
func (n *Node) clientList() []system.Client {
	server := n.server()
	if server == nil {
		return nil
	}
	return server.Clients()
}

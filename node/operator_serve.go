package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"

	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/http"
)

// operators is the server for operators.
type operators struct {
	server  *http.Server
	address net.Addr
	done    sync.WaitGroup
}

// serveHTTP serves operators at http_address and http_port, with the passwords and the certificates that the server for
// clients has in its options. It returns nil if the settings want no such server.
func (n *Node) serveHTTP(ctx context.Context, clients cql.Options, opts ServeOptions) (*operators, error) {
	if n.config.HTTPPort == 0 {
		return nil, nil
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort(n.config.HTTPAddress, strconv.Itoa(n.config.HTTPPort)))
	if err != nil {
		return nil, err
	}
	if danger := n.Exposure(listener.Addr()); danger != "" && !opts.Insecure {
		return nil, errors.Join(&ExposedError{Setting: "http_address", Address: n.config.HTTPAddress, Danger: danger}, listener.Close())
	}
	return n.startHTTP(listener, clients), nil
}

func (n *Node) startHTTP(listener net.Listener, clients cql.Options) *operators {
	options := http.Options{TLS: clients.TLS, Hosts: []string{n.config.HTTPAddress}, Log: n.opts.Log}
	if p, ok := clients.Authenticator.(passwords); ok {
		options.Login = p.roles.Login
	}
	o := &operators{server: http.New(&operator{node: n, started: n.opts.Now()}, options), address: listener.Addr()}
	o.done.Go(func() {
		if err := o.server.Serve(listener); err != nil {
			n.fail(fmt.Errorf("serving operators: %w", err))
		}
	})
	return o
}

// stop ends actions under way and closes all connections.
func (o *operators) stop() error {
	if o == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := o.server.Stop(ctx)
	o.done.Wait()
	return err
}

package workload

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/workload/client"
)

// passwordVariable is read if --password is not given, so that the password need not be seen in lists
// of processes. It does not begin with ILIUM_, as settings do.
const passwordVariable = "CQL_PASSWORD"

// A where says which database a command uses: that of servers, or of a node embedded in the process.
type where struct {
	servers  client.Options
	replicas int
	node     *node.Node // the embedded one, while with runs
}

// remoteFlags are those that say nothing to an embedded node.
func remoteFlags() []string {
	return []string{"username", "password", "consistency", "protocol", "connections", "timeout", "coalesce", "replication-factor"}
}

func (w *where) add(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&w.servers.Hosts, "hosts", nil, "servers to use, as host or host:port (default: a node in this process)")
	f.StringVar(&w.servers.Username, "username", "", "role to log in as (default: none)")
	f.StringVar(&w.servers.Password, "password", "", "its password (default: the environment variable "+passwordVariable+")")
	f.StringVar(&w.servers.Consistency, "consistency", "LOCAL_ONE", "consistency level of reads and writes")
	f.IntVar(&w.servers.Protocol, "protocol", 5, "version of the native protocol: 4 or 5")
	f.IntVar(&w.servers.Connections, "connections", 2, "connections to each server")
	f.DurationVar(&w.servers.Timeout, "timeout", 12*time.Second, "how long to wait for an answer")
	f.DurationVar(&w.servers.Coalesce, "coalesce", 0, "how long the driver gathers requests before it sends them")
	f.IntVar(&w.replicas, "replication-factor", 1, "replicas of a keyspace that is created")
}

func (w *where) remote() bool { return len(w.servers.Hosts) > 0 }

// check refuses flags that would be ignored, or that the driver would take for something else.
func (w *where) check(c *cobra.Command) error {
	if !w.remote() {
		if c.Flags().Changed("hosts") {
			return errors.New("--hosts names no host")
		}
		for _, name := range remoteFlags() {
			if c.Flags().Changed(name) {
				return fmt.Errorf("--%s is for servers: give --hosts too", name)
			}
		}
		return nil
	}
	if w.servers.Protocol != 4 && w.servers.Protocol != 5 { // 3 cannot leave values unset
		return fmt.Errorf("--protocol must be 4 or 5, not %d", w.servers.Protocol)
	}
	if w.servers.Timeout <= 0 || w.servers.Coalesce < 0 {
		return errors.New("--timeout must be above 0, and --coalesce not below")
	}
	for _, host := range w.servers.Hosts {
		if strings.TrimSpace(host) == "" {
			return errors.New("--hosts names an empty host")
		}
	}
	return errors.Join(atLeastOne("connections", int64(w.servers.Connections)), atLeastOne("replication-factor", int64(w.replicas)))
}

// with runs a command on the database.
func (w *where) with(c *cobra.Command, start Start, run func(client.Database) error) (err error) {
	if err := w.check(c); err != nil {
		return err
	}
	begun := time.Now()
	var database client.Database
	if w.remote() {
		servers, err := client.Connect(w.options())
		if err != nil {
			return err
		}
		defer servers.Close()
		database = servers
	} else {
		if w.node, err = start(c.Context()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.node.Stop()) }()
		database = client.Embed(w.node.Session())
	}
	fmt.Fprintf(c.ErrOrStderr(), "ready in %d ms\n", time.Since(begun).Milliseconds())
	return run(database)
}

func (w *where) options() client.Options {
	opts := w.servers
	opts.Hosts = slices.Clone(opts.Hosts)
	for i, host := range opts.Hosts {
		if _, _, err := net.SplitHostPort(host); err != nil {
			opts.Hosts[i] = net.JoinHostPort(strings.Trim(host, "[]"), "9042")
		}
	}
	if opts.Password == "" {
		opts.Password = os.Getenv(passwordVariable)
	}
	return opts
}

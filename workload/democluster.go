package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/workload/client"
	"github.com/iliumdb/ilium/workload/inbox"
	"github.com/iliumdb/ilium/workload/mail"
)

// demoReplicas is how many nodes hold each message in a demo of several.
const demoReplicas = 3

// A demoCluster is the nodes of a demo: in this process, but connected by sockets of the loopback address only.
type demoCluster struct {
	demo    *demo
	out     io.Writer
	dir     string
	configs []config.Config
	nodes   []*node.Node // nil: stopped
	clients []string     // addresses for clients
}

// runCluster starts several nodes in a temporary directory, loads invented mail and searches it, stops a node on the way, and
// shows that nothing is missed: not in the answers meanwhile, and not on the node when it is back.
func (d *demo) runCluster(ctx context.Context, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "ilium-demo-")
	if err != nil {
		return err
	}
	c := &demoCluster{demo: d, out: out, dir: dir}
	defer func() { err = errors.Join(err, c.stopAll(), os.RemoveAll(dir)) }()
	begun := time.Now()
	for range d.nodes {
		if err := c.add(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d nodes are ready after %d ms, in %s. They take clients at %s.\n", d.nodes, time.Since(begun).Milliseconds(), dir,
		strings.Join(c.clients, ", "))
	in, err := inbox.Open(ctx, client.Embed(c.nodes[0].Session().WithConsistency(consistency.Quorum)), demoReplicas)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Each message is kept by %d of them. Node 1 is asked, and reads and writes are done when 2 that keep it have answered: QUORUM.\n\n", demoReplicas)
	return c.story(ctx, in)
}

// story is what happens.
func (c *demoCluster) story(ctx context.Context, in *inbox.Inbox) error {
	all := c.demo.mail.Messages
	most := max(1, all*9/10)
	if err := c.load(ctx, in, 0, most); err != nil {
		return err
	}
	if err := c.demo.show(ctx, in, c.out); err != nil {
		return err
	}
	last := len(c.nodes) - 1
	begun := time.Now()
	if err := c.stop(last); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Node %d stopped in %d ms. The rest of the mail is loaded without it.\n", last+1, time.Since(begun).Milliseconds())
	if err := c.load(ctx, in, most, all); err != nil {
		return err
	}
	if err := c.demo.show(ctx, in, c.out); err != nil {
		return err
	}
	if err := c.check(ctx, in, "without it"); err != nil {
		return err
	}
	if err := c.back(ctx, last); err != nil {
		return err
	}
	return c.check(ctx, in, "with all nodes")
}

// back starts a node that was stopped, and shows what it gets of what it has missed.
func (c *demoCluster) back(ctx context.Context, i int) error {
	begun := time.Now()
	if err := c.start(ctx, i); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Node %d is back after %d ms. The others have kept what it missed, as hints, and send it now.\n", i+1, time.Since(begun).Milliseconds())
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		pending, err := c.pending(ctx)
		if err != nil {
			return err
		}
		if pending == 0 {
			break
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var messages int64 // at LOCAL_ONE, a node that keeps a partition asks nobody else
	err := c.nodes[i].Session().Query("SELECT count(*) FROM inbox.messages").Scan(ctx, &messages)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "After %d ms there are no hints left. Node %d answers that there are %d of %d messages.\n\n",
		time.Since(begun).Milliseconds(), i+1, messages, c.demo.mail.Messages)
	return err
}

// pending returns for how many nodes there are hints.
func (c *demoCluster) pending(ctx context.Context) (n int64, err error) {
	for _, one := range c.nodes {
		var here int64
		if err := one.Session().Query("SELECT count(*) FROM system_views.pending_hints").Scan(ctx, &here); err != nil {
			return 0, err
		}
		n += here
	}
	return n, nil
}

// check compares searches with the mail.
func (c *demoCluster) check(ctx context.Context, in *inbox.Inbox, how string) error {
	checked, err := in.Check(ctx, mail.Generate(c.demo.mail), inbox.CheckOptions{Words: 200, Peers: 200})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "Checked %d searches with %d hits %s against a plain scan of the mail: no difference.\n\n", checked.Searches, checked.Hits, how)
	return err
}

// load loads a part of the mail.
func (c *demoCluster) load(ctx context.Context, in *inbox.Inbox, from, to int64) error {
	if from == to {
		return nil
	}
	source := mail.Generate(c.demo.mail)
	if err := source.Skip(from); err != nil {
		return err
	}
	p, err := in.Load(ctx, &mailPart{Source: source, from: from, to: to}, inbox.LoadOptions{Path: "invented"})
	if err == nil {
		report(c.out, &p)
	}
	return err
}

// A mailPart is a part of a source, which stands at its beginning.
type mailPart struct {
	inbox.Source
	from, to int64
}

// Next returns the next message of the part.
func (p *mailPart) Next() (*mail.Message, error) {
	if p.Source.Position() >= p.to {
		return nil, io.EOF
	}
	return p.Source.Next()
}

// Position returns how many messages of the part were read.
func (p *mailPart) Position() int64 { return p.Source.Position() - p.from }

// Fingerprint tells the parts of a source apart. When the last one is loaded, the whole source is.
func (p *mailPart) Fingerprint() string {
	if p.to == p.Source.Size() {
		return p.Source.Fingerprint()
	}
	return fmt.Sprintf("%s, %d to %d", p.Source.Fingerprint(), p.from, p.to)
}

// add makes another node.
func (c *demoCluster) add(ctx context.Context) error {
	cfg := config.Default()
	cfg.ClusterName = "demo"
	cfg.DataDirectory = filepath.Join(c.dir, fmt.Sprint("node", len(c.nodes)+1))
	cfg.Memory = 256 * config.MiB
	cfg.ListenAddress, cfg.StoragePort, cfg.NativeTransportPort = cfg.RPCAddress, 0, 0
	if len(c.configs) > 0 {
		cfg.Seeds = config.Addresses(fmt.Sprintf("%s:%d", cfg.ListenAddress, c.configs[0].StoragePort))
	}
	c.configs, c.nodes, c.clients = append(c.configs, cfg), append(c.nodes, nil), append(c.clients, "")
	return c.start(ctx, len(c.nodes)-1)
}

// start starts a node. From the first start on it keeps its ports.
func (c *demoCluster) start(ctx context.Context, i int) error {
	n, err := c.demo.start(ctx, c.configs[i])
	if err != nil {
		return err
	}
	c.nodes[i] = n
	address, err := n.Serve(ctx, node.ServeOptions{})
	if err != nil {
		return err
	}
	c.clients[i] = address.String()
	return n.Session().Query("SELECT listen_port, rpc_port FROM system.local").Scan(ctx, &c.configs[i].StoragePort, &c.configs[i].NativeTransportPort)
}

func (c *demoCluster) stop(i int) error {
	n := c.nodes[i]
	if n == nil {
		return nil
	}
	c.nodes[i] = nil
	return n.Stop()
}

func (c *demoCluster) stopAll() error {
	var errs []error
	for i := range c.nodes {
		errs = append(errs, c.stop(i))
	}
	return errors.Join(errs...)
}

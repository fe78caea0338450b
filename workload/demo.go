package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/workload/client"
	"github.com/iliumdb/ilium/workload/inbox"
	"github.com/iliumdb/ilium/workload/mail"
)

// DemoCommand returns `ilium demo`. start opens a node with given settings.
func DemoCommand(start func(context.Context, config.Config) (*node.Node, error)) *cobra.Command {
	d := demo{start: start}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show the inbox search on invented mail, in a temporary directory",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return d.run(c.Context(), c.OutOrStdout()) },
	}
	c.Flags().IntVar(&d.nodes, "nodes", 1, "how many nodes: 1, or 3 to 10, of which one is stopped on the way")
	c.Flags().Uint64Var(&d.mail.Seed, "seed", 1, "the same seed gives the same mail")
	c.Flags().Int64Var(&d.mail.Messages, "messages", 5000, "how many messages")
	c.Flags().IntVar(&d.mail.Mailboxes, "mailboxes", 25, "how many mailboxes")
	c.Flags().IntVar(&d.searches, "searches", 10_000, "searches of each kind to measure")
	return c
}

type demo struct {
	start    func(context.Context, config.Config) (*node.Node, error)
	nodes    int
	mail     mail.GeneratorOptions
	searches int
}

// run starts a node in a temporary directory, loads invented mail, searches it in both ways, checks
// and measures, and stops the node.
func (d *demo) run(ctx context.Context, out io.Writer) (err error) {
	if err := errors.Join(checkMail(d.mail), atLeastOne("searches", int64(d.searches))); err != nil {
		return err
	}
	switch {
	case d.nodes >= demoReplicas && d.nodes <= 10:
		return d.runCluster(ctx, out)
	case d.nodes != 1:
		return fmt.Errorf("--nodes must be 1, or 3 to 10, not %d", d.nodes)
	}
	dir, err := os.MkdirTemp("", "ilium-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory = dir, 256<<20
	begun := time.Now()
	n, err := d.start(ctx, cfg)
	if err != nil {
		return err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, n.Stop())
		}
	}()
	in, err := inbox.Open(ctx, client.Embed(n.Session()), 1)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A node is ready after %d ms, in %s.\n\n", time.Since(begun).Milliseconds(), dir)
	p, err := in.Load(ctx, mail.Generate(d.mail), inbox.LoadOptions{Path: "invented"})
	if err != nil {
		return err
	}
	report(out, &p)
	if err := d.show(ctx, in, out); err != nil {
		return err
	}
	checked, err := in.Check(ctx, mail.Generate(d.mail), inbox.CheckOptions{Words: 500, Peers: 500})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Checked %d searches with %d hits against a plain scan of the mail: no difference.\n\n", checked.Searches, checked.Hits)
	m, err := in.Measure(ctx, mail.Generate(d.mail), inbox.MeasureOptions{Searches: d.searches})
	if err != nil {
		return err
	}
	if err := m.Write(out, fmt.Sprintf("%d invented messages, %d postings", p.Messages, p.Postings())); err != nil {
		return err
	}
	stopped = true
	begun = time.Now()
	if err := n.Stop(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nThe node stopped in %d ms.\n", time.Since(begun).Milliseconds())
	return err
}

// show prints one search of each kind, for the owner of some message.
func (d *demo) show(ctx context.Context, in *inbox.Inbox, out io.Writer) error {
	source := mail.Generate(d.mail)
	if err := source.Skip(d.mail.Messages / 2); err != nil {
		return err
	}
	m, err := source.Next()
	if err != nil {
		return err
	}
	words := mail.DistinctWords("", m.Body)
	words = words[:min(2, len(words))]
	for _, s := range []struct {
		title string
		hits  func() ([]inbox.Hit, error)
	}{
		{fmt.Sprintf("Messages of %s with the words %q:", m.User, words),
			func() ([]inbox.Hit, error) { return in.Terms(ctx, m.User, words, 5, nil) }},
		{fmt.Sprintf("Messages of %s exchanged with %s:", m.User, m.From),
			func() ([]inbox.Hit, error) { return in.With(ctx, m.User, m.From, 5, nil) }},
	} {
		fmt.Fprintf(out, "\n%s\n", s.title)
		begun := time.Now()
		hits, err := s.hits()
		if err != nil {
			return err
		}
		took := time.Since(begun)
		list, err := in.Summarize(ctx, m.User, hits)
		if err != nil {
			return err
		}
		printHits(out, list, took)
	}
	_, err = fmt.Fprintln(out)
	return err
}

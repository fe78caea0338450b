package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/node"
)

// remindEvery is the time between two warnings of a node that is open to attacks.
const remindEvery = time.Minute

func startCommand(s *settings) *cobra.Command {
	insecure := false
	c := &cobra.Command{
		Use:   "start",
		Short: "Serve CQL clients until SIGTERM or SIGINT",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), s, insecure, c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&insecure, "insecure", false, "listen also where other machines can connect, although clients are not asked for "+
		"a password, or say it in clear")
	return c
}

// serve runs a node until ctx ends or it fails.
func serve(ctx context.Context, s *settings, insecure bool, out io.Writer) error {
	began := time.Now()
	options := node.ServeOptions{Insecure: insecure, Generated: func(role, password string) error {
		_, err := fmt.Fprintf(out, "The password of role %s is %s\nIt was generated now and will not be shown again.\n", role, password)
		return err
	}}
	n, err := s.startWith(ctx, node.Options{Insecure: insecure, Operators: &options})
	if exposed, ok := errors.AsType[*node.ExposedError](err); ok {
		return fmt.Errorf("%w; --insecure allows it", exposed)
	}
	if err != nil {
		return err
	}
	address, err := n.Serve(ctx, options)
	if exposed, ok := errors.AsType[*node.ExposedError](err); ok {
		err = fmt.Errorf("%w; --insecure allows it", exposed)
	}
	if err != nil {
		return errors.Join(err, n.Stop())
	}
	_, err = fmt.Fprintf(out, "ilium is ready in %d ms at %s (CQL native protocol v3, v4, v5)\n", time.Since(began).Milliseconds(), address)
	if err == nil {
		err = wait(ctx, n, address)
	}
	return errors.Join(err, n.Stop())
}

// wait returns nil when ctx ends, or what has made the node unable to go on.
func wait(ctx context.Context, n *node.Node, address net.Addr) error {
	danger := n.Exposure(address)
	remind := time.NewTicker(remindEvery)
	defer remind.Stop()
	for {
		if danger != "" {
			slog.Warn("THE NODE IS NOT PROTECTED", "address", address, "danger", danger)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-n.Failed():
			return err
		case <-remind.C:
		}
	}
}

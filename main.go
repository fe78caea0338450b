// Command ilium is a Cassandra-compatible wide-column database in a single binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // timestamps may name any time zone, also where the machine has no database of them

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/admin"
	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/shell"
	"github.com/iliumdb/ilium/workload"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := rootCommand().ExecuteContext(ctx)
	stop()
	switch {
	case errors.Is(err, shell.ErrStatementFailed):
		os.Exit(2) // what was wrong has been printed, and more may have been carried out behind it
	case err != nil:
		fmt.Fprintln(os.Stderr, "ilium:", err)
		os.Exit(1)
	}
}

// settings are the flags that say how a node is configured.
type settings struct {
	file string
	set  []string
}

func (s *settings) flags(c *cobra.Command) {
	c.PersistentFlags().StringVar(&s.file, "config", "", "settings file (default: "+config.DefaultFile+", if it exists)")
	c.PersistentFlags().StringArrayVar(&s.set, "set", nil, "a setting, as key=value; repeatable; overrides file and environment")
}

func (s *settings) load() (*config.Loaded, error) {
	return config.Load(config.Sources{File: s.file, Environ: os.Environ(), Set: s.set})
}

// start starts the node that the settings describe, within their memory.
func (s *settings) start(ctx context.Context) (*node.Node, error) {
	return s.startWith(ctx, node.Options{})
}

func (s *settings) startWith(ctx context.Context, opts node.Options) (*node.Node, error) {
	loaded, err := s.load()
	if err != nil {
		return nil, err
	}
	debug.SetMemoryLimit(int64(loaded.Config.Memory))
	return node.StartWith(ctx, loaded.Config, opts)
}

func startNode(ctx context.Context, cfg config.Config) (*node.Node, error) {
	debug.SetMemoryLimit(int64(cfg.Memory))
	return node.Start(ctx, cfg)
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "ilium",
		Short:         "A Cassandra-compatible wide-column database in a single binary",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	s := &settings{}
	s.flags(root)
	root.AddCommand(startCommand(s), configCommand(s), versionCommand(), workload.DemoCommand(startNode),
		workload.Command(s.start), shell.CQLCommand(s.start), shell.Command())
	root.AddCommand(admin.Commands()...)
	return root
}

func configCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the effective settings and where each comes from",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			loaded, err := s.load()
			if err != nil {
				return err
			}
			return loaded.Write(c.OutOrStdout())
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				return errors.New("the binary holds no build information")
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "ilium %s, CQL 3.4.7, %s\n", info.Main.Version, info.GoVersion)
			return err
		},
	}
}

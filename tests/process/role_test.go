package process

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/node"
)

// roleArgument is the first argument of a test binary that plays a role instead of running tests.
const roleArgument = "play"

// A role is what the test binary can be started as. It returns when it has done its work.
type role func(ctx context.Context, n *node.Node, flags *roleFlags) error

type roleFlags struct {
	dir, sync string
	seed      uint64
	from      string // writer: the next number of each of its threads
	fault     string // writer: an error to make, see the constants
	begin     bool   // full: also creates the table
}

// Exit codes of a role.
const (
	exitFailed   = 1 // the role was not carried out
	exitNotReady = 3 // the node did not start
)

// playRole starts a node, plays a role on it and stops it.
func playRole(args []string) int {
	roles := map[string]role{"writer": playWriter, "loader": playLoader, "reader": playReader, "full": playFull}
	var f roleFlags
	set := flag.NewFlagSet(args[0], flag.ContinueOnError)
	set.StringVar(&f.dir, "dir", "", "data directory")
	set.StringVar(&f.sync, "sync", string(config.SyncGroup), "commitlog_sync")
	set.Uint64Var(&f.seed, "seed", 0, "")
	set.StringVar(&f.from, "from", "", "")
	set.StringVar(&f.fault, "fault", "", "")
	set.BoolVar(&f.begin, "begin", false, "")
	if err := set.Parse(args[1:]); err != nil {
		return exitFailed
	}
	ctx := context.Background()
	n, err := startNode(ctx, f.dir, config.CommitlogSync(f.sync))
	if err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		return exitNotReady
	}
	if err := roles[args[0]](ctx, n, &f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	if err := n.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop:", err)
		return exitFailed
	}
	return 0
}

// startNode starts a node with little memory, so that its files are many and small. It waits for a
// busy disk as long as it takes.
func startNode(ctx context.Context, dir string, sync config.CommitlogSync) (*node.Node, error) {
	cfg := config.Default()
	cfg.DataDirectory, cfg.Memory, cfg.CommitlogSync = dir, 64*config.MiB, sync
	cfg.WriteRequestTimeout, cfg.ReadRequestTimeout, cfg.RangeRequestTimeout = patience, patience, patience
	if sync == config.SyncPeriodic {
		cfg.CommitlogSyncPeriod = syncPeriod
	}
	return node.StartWith(ctx, cfg, node.Options{Log: slog.New(slog.DiscardHandler)})
}

// Package node assembles a database node from its parts, and is the API for Go programs that embed
// one.
//
// Start opens a node in a data directory; several nodes fit into one process, each in a directory
// of its own. A Session carries out CQL:
//
//	n, err := node.Start(ctx, cfg)
//	if err != nil {
//		return err
//	}
//	defer n.Stop()
//	s := n.Session()
//	err = s.Query("INSERT INTO inbox.messages (user_id, message_id) VALUES (?, ?)", user, id).Exec(ctx)
//
// Rows come one by one, or into variables, structs and maps; pages are fetched as they are needed:
//
//	rows := s.Query("SELECT message_id, subject FROM inbox.messages WHERE user_id = ?", user).Iter(ctx)
//	for rows.Next() {
//		err := rows.Scan(&id, &subject)
//		...
//	}
//	err = rows.Close()
//
// Serve lets clients of Cassandra's native protocol in as well; until it is called, nothing listens. Clients have to log in, or
// to use TLS, if the configuration says so; sessions of the program itself never do.
//
// A statement whose context has ended is not carried out. A write during which it ends may be.
//
// Values are converted as package schema/cqltype describes. Errors are the structs of the packages
// that produce them: *grammar.SyntaxError, *schema.InvalidRequestError, *coordinator.UnavailableError,
// *storage.DiskFullError and so on; use errors.As.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/iliumdb/ilium/config"
	"github.com/iliumdb/ilium/coordinator"
	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/query"
	"github.com/iliumdb/ilium/query/system"
	"github.com/iliumdb/ilium/ring"
	"github.com/iliumdb/ilium/schema"
	"github.com/iliumdb/ilium/storage"
	"github.com/iliumdb/ilium/storage/row"
	"github.com/iliumdb/ilium/wire/cql"
	"github.com/iliumdb/ilium/wire/peer"
)

// A Node is a running database node. All its methods may be called concurrently.
type Node struct {
	config   config.Config
	opts     Options
	engine   *storage.Engine
	log      *metadata.Log
	cluster  *cluster // nil: the node is alone
	view     coordinator.Cluster
	system   *system.Tables
	executor *query.Executor

	coordinator *coordinator.Coordinator
	epochs      epochs // of the schema
	traces      *system.Traces
	failed      chan error
	clients     clients

	stop    sync.Once
	stopErr error
}

// clients is the server of the CQL native protocol, if there is one, and that for operators.
type clients struct {
	mu      sync.Mutex
	server  *cql.Server
	http    *operators // nil if the settings want none
	stopped bool
	done    sync.WaitGroup
}

// Options are what a node takes from the program around it. Zero fields take the default.
type Options struct {
	Log *slog.Logger     // default slog.Default()
	Now func() time.Time // the node's clock; default time.Now

	Sockets peer.Sockets // the network between nodes; default the operating system's

	// Insecure allows a listen_address that other machines can reach although connections between nodes are not encrypted, or
	// do not prove who is at the other end.
	Insecure bool
}

// Start opens the node that cfg describes, and recovers what was acknowledged before a crash. It
// returns when the node serves. ctx bounds the start alone; call Stop to end the node.
//
// Start does not limit the memory of the process, which other parts of the program may share. A
// program that wants cfg.Memory kept calls debug.SetMemoryLimit, as the ilium command does.
func Start(ctx context.Context, cfg config.Config) (*Node, error) {
	return StartWith(ctx, cfg, Options{})
}

// StartWith is Start with options.
func StartWith(ctx context.Context, cfg config.Config, opts Options) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Sockets == nil {
		opts.Sockets = peer.TCP()
	}
	n := &Node{config: cfg, opts: opts, failed: make(chan error, 1)}
	if err := n.open(ctx, opts); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// open starts the parts, each after those it needs.
func (n *Node) open(ctx context.Context, opts Options) (err error) {
	tables := &tables{}
	if n.engine, err = storage.Open(storageOptions(n.config, opts, tables, n.fail)); err != nil {
		return err
	}
	if err := n.checkCluster(ctx); err != nil {
		return err
	}
	if n.config.ListenAddress == "" {
		err = n.openAlone(ctx)
	} else {
		err = n.openCluster(ctx)
	}
	if err != nil {
		return err
	}
	tables.open(n.log)
	n.engine.Reclaim() // what was dropped before the last stop
	if err := n.openSystem(); err != nil {
		return err
	}
	n.openExecutor()
	if n.cluster != nil {
		if err := n.cluster.open(); err != nil {
			return err
		}
		if err := n.cluster.enter(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// openAlone opens what a node needs that is the only one.
func (n *Node) openAlone(ctx context.Context) (err error) {
	n.log, err = metadata.Open(n.engine, metadata.Options{
		DefaultReplicationFactor: n.config.DefaultKeyspaceRF,
		Datacenters:              []string{n.config.Datacenter},
		OnChange:                 n.schemaChanged,
	})
	if err != nil {
		return err
	}
	id, err := n.identity(ctx)
	if err != nil {
		return err
	}
	n.view, err = coordinator.NewAlone(ring.Endpoint{
		ID:         id.host,
		Datacenter: n.config.Datacenter,
		Rack:       n.config.Rack,
		Tokens:     id.tokens,
	})
	return err
}

// openExecutor opens what carries out statements, and requests of other nodes.
func (n *Node) openExecutor() {
	options := coordinator.Options{
		Schema:        n.log.Schema,
		CatchUp:       func(ctx context.Context, epoch uint64) error { return n.epochs.await(ctx, n.log, epoch) },
		TombstoneFail: n.config.TombstoneFailureThreshold,
		Now:           n.opts.Now,
		Log:           n.opts.Log,
	}
	if n.cluster != nil {
		options.Peers, options.Proximity, options.Refresh = n.cluster.hub, n.cluster.proximity, n.cluster.refresh
		if n.cluster.hints != nil {
			options.Hints = n.cluster.hints
		}
	}
	n.coordinator = coordinator.New(n.engine, n.view, options)
	n.executor = query.New(n.log, n.coordinator, n.system, query.Options{
		ReadTimeout:     n.config.ReadRequestTimeout,
		RangeTimeout:    n.config.RangeRequestTimeout,
		WriteTimeout:    n.config.WriteRequestTimeout,
		TruncateTimeout: n.config.TruncateRequestTimeout,
		RequestTimeout:  n.config.RequestTimeout,
		BatchWarn:       int64(n.config.BatchSizeWarnThreshold),
		BatchFail:       int64(n.config.BatchSizeFailThreshold),
		TombstoneWarn:   n.config.TombstoneWarnThreshold,
		PageBytes:       min(int64(n.config.Memory)/64, maxPageBytes),
		ResultBytes:     min(int64(n.config.Memory)/8, maxResultBytes),
		PlanCache:       int64(n.config.PreparedStatementsCacheSize),
		Now:             n.opts.Now,
	})
}

const (
	maxPageBytes = 16 << 20
	// maxResultBytes is below what a frame of the native protocol can hold, 256 MiB.
	maxResultBytes = 128 << 20
)

func storageOptions(cfg config.Config, opts Options, tables *tables, fail func(error)) storage.Options {
	o := storage.Options{
		Dir:           cfg.DataDirectory,
		Memory:        int64(cfg.Memory),
		SyncPeriod:    cfg.CommitlogSyncPeriod,
		GroupWindow:   cfg.CommitlogSyncGroupWindow,
		DiskFloor:     int64(cfg.DiskSpaceFloor),
		MaxMutation:   int64(cfg.MaxMutationSize),
		Throughput:    int64(cfg.CompactionThroughput),
		TombstoneFail: cfg.TombstoneFailureThreshold,
		Tables:        tables.table,
		Now:           opts.Now,
		OnFailure:     fail,
		Log:           opts.Log,
	}
	if cfg.CommitlogSync == config.SyncPeriodic {
		o.Sync = storage.SyncPeriodic
	}
	return o
}

// checkCluster refuses to open the data of another cluster.
func (n *Node) checkCluster(ctx context.Context) error {
	const name = "node/cluster_name"
	saved, found := "", false
	err := n.engine.Values(name, func(_ string, value []byte) error {
		saved, found = string(value), true
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		return n.engine.Put(ctx, storage.Put{Name: name, Value: []byte(n.config.ClusterName)})
	}
	if saved != n.config.ClusterName {
		//lint:ignore ST1005 Cassandra's wording
		return fmt.Errorf("Saved cluster name %s != configured name %s", saved, n.config.ClusterName)
	}
	return nil
}

// fail is told when storage cannot go on.
func (n *Node) fail(err error) {
	select {
	case n.failed <- err:
	default: // there are reasons enough
	}
}

// Failed returns a channel that receives an error if the node cannot take writes anymore. The
// program should then stop the node and end.
func (n *Node) Failed() <-chan error { return n.failed }

// Stop disconnects clients, makes everything durable and closes the node. Statements under way finish first;
// later ones fail. Iterators must be closed before. It may be called more than once.
func (n *Node) Stop() error {
	n.stop.Do(func() { n.stopErr = errors.Join(n.stopServing(), n.close()) })
	return n.stopErr
}

// close closes what was opened.
func (n *Node) close() error {
	var errs []error
	if n.cluster != nil {
		errs = append(errs, n.cluster.close())
	}
	if n.engine != nil {
		errs = append(errs, n.engine.Close())
	}
	return errors.Join(errs...)
}

// Session returns a new session.
func (n *Node) Session() *Session {
	return &Session{session: n.executor.NewSession(), pageSize: n.config.PageSize, level: consistency.LocalOne}
}

// Executor returns what carries out the node's statements, for those who serve a protocol.
func (n *Node) Executor() *query.Executor { return n.executor }

// Schema returns what exists now.
func (n *Node) Schema() *schema.Schema { return n.log.Schema() }

// Compact folds all of a table's data into its compact form, as nodetool compact does, and returns
// when that is done. It goes on in the background anyway.
func (n *Node) Compact(ctx context.Context, keyspace, table string) error {
	t := n.Schema().Table(keyspace, table)
	if t == nil {
		return schema.Invalid("table %s.%s does not exist", keyspace, table)
	}
	return n.engine.Compact(ctx, t.Incarnation)
}

// tables tells storage what it must know of tables. Before open it knows none.
type tables struct {
	mu  sync.Mutex
	log *metadata.Log
}

func (t *tables) open(log *metadata.Log) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log = log
}

func (t *tables) table(incarnation uint32) (storage.Table, bool) {
	t.mu.Lock()
	log := t.log
	t.mu.Unlock()
	if log == nil {
		return storage.Table{}, false
	}
	if incarnation == coordinator.BatchlogIncarnation {
		return coordinator.Batchlog(), true
	}
	if incarnation == coordinator.PaxosIncarnation {
		return coordinator.Paxos(), true
	}
	s := log.Schema().TableOf(incarnation)
	if s == nil {
		return storage.Table{}, false
	}
	return storage.Table{
		Name:      s.String(),
		GCGrace:   time.Duration(s.Options.GCGraceSeconds) * time.Second,
		Compress:  s.Options.Compresses(),
		FormatKey: func(rowKey []byte) string { return formatKey(s, rowKey) },
		HasColumn: func(id uint32) bool { return s.ColumnByID(id) != nil },
	}, true
}

// formatKey prints a row key in the words of its table.
func formatKey(t *schema.Table, rowKey []byte) string {
	end, err := row.PartitionEnd(rowKey)
	if err != nil {
		return fmt.Sprintf("0x%x", rowKey)
	}
	token, partition, err := row.SplitPartition(rowKey[:end], nil)
	if err != nil {
		return fmt.Sprintf("0x%x", rowKey)
	}
	return fmt.Sprintf("%s (token %s)", t.FormatKey(partition, rowKey[end+1:]), ring.Token(token))
}

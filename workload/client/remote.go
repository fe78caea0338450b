package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
)

// Options say how to connect to servers.
type Options struct {
	Hosts              []string // each with a port, or without for 9042
	Username, Password string   // no username: no authentication
	Consistency        string   // of reads and writes
	Protocol           int      // version of the native protocol, 4 or 5
	Connections        int      // to each server
	Timeout            time.Duration
	// Coalesce is how long the driver waits for more requests to send with one write.
	Coalesce time.Duration
}

// Servers are a Database reached over the network. Close it.
type Servers struct {
	session *gocql.Session
}

// Connect connects to servers. With several hosts, requests go to the replica that owns the
// partition.
func Connect(opts Options) (*Servers, error) {
	level, err := gocql.ParseConsistencyWrapper(opts.Consistency)
	if err != nil {
		return nil, fmt.Errorf("%q is no consistency level", opts.Consistency)
	}
	cluster := gocql.NewCluster(opts.Hosts...)
	cluster.ProtoVersion = opts.Protocol
	cluster.NumConns = opts.Connections
	cluster.Consistency = level
	cluster.Timeout, cluster.ConnectTimeout, cluster.WriteTimeout = opts.Timeout, opts.Timeout, opts.Timeout
	cluster.WriteCoalesceWaitTime = opts.Coalesce
	cluster.NextPagePrefetch = 0 // a page that nobody asked for would be measured all the same
	cluster.ReconnectionPolicy = &gocql.ConstantReconnectionPolicy{MaxRetries: 3, Interval: 100 * time.Millisecond}
	cluster.Metadata.CacheMode = gocql.KeyspaceOnly
	if opts.Username != "" {
		cluster.Authenticator = gocql.PasswordAuthenticator{Username: opts.Username, Password: opts.Password}
	}
	if len(opts.Hosts) > 1 { // with one it would only cost time
		cluster.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
	}
	session, err := cluster.CreateSession()
	if err != nil {
		return nil, fmt.Errorf("connecting to %v: %w", opts.Hosts, err)
	}
	return &Servers{session: session}, nil
}

// Close ends all connections.
func (s *Servers) Close() { s.session.Close() }

// Exec carries out a statement once. A change of the schema has reached all servers when it returns.
func (s *Servers) Exec(ctx context.Context, text string) error {
	return s.session.Query(text).ExecContext(ctx)
}

// Prepare lets the driver prepare a statement, so that a wrong one is found at once.
func (s *Servers) Prepare(ctx context.Context, text string) (Statement, error) {
	if _, err := s.session.StatementMetadata(ctx, text, ""); err != nil {
		return nil, err
	}
	return &remoteStatement{s.session, text}, nil
}

// Batch returns an unlogged batch: the log would be a second write, and rows of one partition need none.
func (s *Servers) Batch() Batch { return &remoteBatch{s.session.Batch(gocql.UnloggedBatch)} }

// Unset returns the driver's value for what is left alone.
func (s *Servers) Unset() any { return gocql.UnsetValue }

type remoteStatement struct {
	session *gocql.Session
	text    string
}

func (s *remoteStatement) Exec(ctx context.Context, values ...any) error {
	return s.session.Query(s.text, values...).ExecContext(ctx)
}

func (s *remoteStatement) Query(ctx context.Context, pageSize int, values ...any) Rows {
	q := s.session.Query(s.text, values...)
	if pageSize > 0 {
		q.PageSize(pageSize)
	}
	return remoteRows{q.IterContext(ctx)}
}

type remoteBatch struct {
	batch *gocql.Batch
}

func (b *remoteBatch) Add(s Statement, values ...any) {
	b.batch.Query(s.(*remoteStatement).text, values...) // a batch takes its own database's statements
}

func (b *remoteBatch) Exec(ctx context.Context) error {
	err := b.batch.ExecContext(ctx)
	clear(b.batch.Entries) // the values are not needed any more
	b.batch.Entries = b.batch.Entries[:0]
	return err
}

type remoteRows struct {
	rows *gocql.Iter
}

func (r remoteRows) Next(dest ...any) (bool, error) {
	if r.rows.Scan(dest...) {
		return true, nil
	}
	return false, r.rows.Close()
}

func (r remoteRows) PageEnds() bool { return r.rows.WillSwitchPage() }

func (r remoteRows) Close() {
	_ = r.rows.Close() // its error, if any, was returned by Next
}

// Kind names the kind of an error, for counting: the code of a server's answer, or what went wrong
// on the way.
func Kind(err error) string {
	if server, ok := errors.AsType[gocql.RequestError](err); ok {
		return codeName(server.Code())
	}
	switch {
	case errors.Is(err, gocql.ErrTimeoutNoResponse), errors.Is(err, context.DeadlineExceeded):
		return "client timeout"
	case errors.Is(err, gocql.ErrConnectionClosed), errors.Is(err, gocql.ErrNoConnections):
		return "no connection"
	case errors.Is(err, gocql.ErrNoStreams):
		return "too many requests on a connection"
	default:
		return "other"
	}
}

func codeName(code int) string {
	switch code {
	case gocql.ErrCodeUnavailable:
		return "unavailable"
	case gocql.ErrCodeOverloaded:
		return "overloaded"
	case gocql.ErrCodeWriteTimeout:
		return "write timeout"
	case gocql.ErrCodeReadTimeout:
		return "read timeout"
	case gocql.ErrCodeWriteFailure:
		return "write failure"
	case gocql.ErrCodeReadFailure:
		return "read failure"
	case gocql.ErrCodeUnauthorized:
		return "unauthorized"
	case gocql.ErrCodeInvalid:
		return "invalid"
	default:
		return fmt.Sprintf("server error 0x%04x", code)
	}
}

// Package kv measures a database with the two shapes that most uses come down to: rows that are
// written and read by their key, and the newest rows of a partition.
//
// Table data has a bigint key and some columns of random bytes. Table wide has partitions of many
// rows, newest first. Load fills one of them in order of keys; the other operations take keys from
// Load's range by chance, all alike (uniform) or some far more often than others (zipfian).
//
// Values are pseudo-random bytes that follow from the key, the column, and a nonce at their beginning.
// So every read is checked byte by byte, though nobody remembers what was written: a key that is
// missing, a value of another length, or one that does not belong there counts as an error.
package kv

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/iliumdb/ilium/workload/client"
)

// A Shape is what the tables hold.
type Shape struct {
	Keys       int64 // rows of data
	Columns    int   // of a row
	Partitions int64 // of wide
	Rows       int64 // of each partition
	Limit      int64 // rows of a slice
	ValueSize  int   // bytes of a value
	Replicas   int   // of the keyspace, if it does not exist
}

func (s *Shape) check() error {
	if min(s.Keys, int64(s.Columns), s.Partitions, s.Rows, s.Limit, int64(s.Replicas)) < 1 {
		return errors.New("keys, columns, partitions, rows, limit and replicas must all be at least 1")
	}
	if s.ValueSize < nonceSize {
		return fmt.Errorf("a value must have at least %d bytes, not %d", nonceSize, s.ValueSize)
	}
	return nil
}

// Tables are the prepared statements on the tables. They are safe for concurrent use.
type Tables struct {
	shape                      Shape
	write, read, append, slice client.Statement
}

// Open creates the tables if they are missing and prepares the statements.
func Open(ctx context.Context, database client.Database, shape Shape) (*Tables, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	var columns, typed []string
	for i := range shape.Columns {
		columns = append(columns, fmt.Sprintf("v%d", i))
		typed = append(typed, fmt.Sprintf("v%d blob", i))
	}
	names := strings.Join(columns, ", ")
	for _, ddl := range []string{
		fmt.Sprintf(`CREATE KEYSPACE IF NOT EXISTS kv WITH replication = {'class': 'SimpleStrategy', 'replication_factor': %d}`, shape.Replicas),
		fmt.Sprintf(`CREATE TABLE IF NOT EXISTS kv.data (key bigint PRIMARY KEY, %s)`, strings.Join(typed, ", ")),
		`CREATE TABLE IF NOT EXISTS kv.wide (key bigint, position bigint, value blob, PRIMARY KEY (key, position))
			WITH CLUSTERING ORDER BY (position DESC)`,
	} {
		if err := database.Exec(ctx, ddl); err != nil {
			return nil, fmt.Errorf("creating the tables: %w", err)
		}
	}
	t := &Tables{shape: shape}
	for _, p := range []struct {
		into *client.Statement
		text string
	}{
		{&t.write, fmt.Sprintf(`INSERT INTO kv.data (key, %s) VALUES (?%s)`, names, strings.Repeat(", ?", shape.Columns))},
		{&t.read, fmt.Sprintf(`SELECT %s FROM kv.data WHERE key = ?`, names)},
		{&t.append, `INSERT INTO kv.wide (key, position, value) VALUES (?, ?, ?)`},
		{&t.slice, fmt.Sprintf(`SELECT position, value FROM kv.wide WHERE key = ? LIMIT %d`, shape.Limit)},
	} {
		st, err := database.Prepare(ctx, p.text)
		if err != nil {
			return nil, fmt.Errorf("preparing %s: %w", p.text, err)
		}
		*p.into = st
	}
	return t, nil
}

// A WrongError is an answer that is not what was written.
type WrongError struct {
	Kind string // for counting
	Text string
}

func (e *WrongError) Error() string { return e.Text }

// Kind names the kind of an error of an operation.
func Kind(err error) string {
	if wrong, ok := errors.AsType[*WrongError](err); ok {
		return wrong.Kind
	}
	return client.Kind(err)
}

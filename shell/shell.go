package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/wire/cql/client"
)

// defaultPageSize is that of cqlsh.
const defaultPageSize = 100

// A shell carries out statements and commands on a server, one after another.
type shell struct {
	printer
	errOut  io.Writer
	dial    func(ctx context.Context, username, password, keyspace string) (*client.Conn, error)
	conn    *client.Conn
	address string
	version string // of this program

	username, password string
	timeout            time.Duration // of a request; zero: none

	consistency, serial consistency.Level
	tracing             bool
	traceWait           time.Duration
	paging              bool
	pageSize            int32

	more        func() bool                         // waits between pages; false ends the listing; nil does not wait
	askPassword func(prompt string) (string, error) // nil if nobody can be asked

	script string // file that is carried out, for messages; "" at a terminal
	line   int    // in it
	depth  int    // of SOURCE within SOURCE
	failed bool   // a statement has failed
	lost   error  // the connection was lost, and there is no new one
}

// connect opens a connection for the user of the shell.
func (s *shell) connect(ctx context.Context, keyspace string) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	conn, err := s.dial(ctx, s.username, s.password, keyspace)
	if err != nil {
		return err
	}
	s.conn, s.lost = conn, nil
	return nil
}

// within bounds a request by the timeout.
func (s *shell) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.timeout)
}

// fail tells of an error. In a script it says where.
func (s *shell) fail(format string, args ...any) {
	s.failed = true
	text := fmt.Sprintf(format, args...)
	if s.script != "" {
		text = fmt.Sprintf("%s:%d:%s", s.script, s.line, text)
	}
	fmt.Fprintln(s.errOut, s.in(red, text)) // nobody could be told if this failed
}

// run carries out a statement or a command of the shell. quit is true for those that end the shell.
func (s *shell) run(ctx context.Context, statement string) (quit bool) {
	if do := s.command(firstWord(statement)); do != nil {
		return do(ctx, statement)
	}
	s.execute(ctx, statement)
	return false
}

// runScript carries out what a reader has, and goes on behind errors, until its end or that of the context, or until the
// server cannot be reached any more.
func (s *shell) runScript(ctx context.Context, name string, in io.Reader) error {
	script, line := s.script, s.line
	defer func() { s.script, s.line = script, line }()
	s.script = name
	list := newStatements(in)
	list.endsWithLine = s.isCommand
	for ctx.Err() == nil {
		statement, err := list.next()
		s.line = list.began
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		if s.run(ctx, statement) {
			return nil
		}
		if s.lost != nil {
			return s.lost
		}
	}
	return ctx.Err()
}

// execute sends a statement to the server and prints what it answers.
func (s *shell) execute(ctx context.Context, statement string) {
	request := s.request(statement)
	request.Tracing = s.tracing && !s.readsTraces(statement)
	printing := &result{printer: s.of(statement)}
	var warnings []string
	var traces []string
	counted := false
	for {
		answer, err := s.query(ctx, request)
		if err != nil {
			if s.terminal && errors.Is(err, context.Canceled) {
				s.printf("") // the terminal shows ^C in this line
			}
			s.fail("%s", describeError(err, s.timeout))
			return
		}
		warnings = append(warnings, answer.Warnings...)
		if answer.Traced {
			traces = append(traces, answer.TracingID.String())
		}
		if answer.Rows == nil {
			break
		}
		columns := columnsOf(answer)
		counted = len(columns) > 0 && columns[0].name != "[applied]"
		printing.page(columns, s.cellsOf(columns, answer))
		request.PagingState = answer.PagingState()
		if request.PagingState == nil || s.more != nil && s.terminal && !s.more() {
			break
		}
	}
	if counted {
		printing.end()
	}
	s.warnings(warnings)
	for _, id := range traces {
		s.showTrace(ctx, id, true)
	}
}

// readsTraces reports whether a statement reads traces: tracing those too would never end.
func (s *shell) readsTraces(statement string) bool {
	return s.conn.Keyspace() == "system_traces" || strings.Contains(strings.ToLower(statement), "system_traces.")
}

// request returns the request for a statement, as the settings of the shell have it.
func (s *shell) request(statement string) client.Request {
	r := client.Request{Text: strings.TrimSuffix(statement, ";"), Consistency: s.consistency, SerialConsistency: s.serial}
	if s.paging {
		r.PageSize = s.pageSize
	}
	return r
}

// query sends a request. A connection that was lost is opened anew first; the request that noticed the loss is not
// repeated, for the server may have carried it out.
func (s *shell) query(ctx context.Context, r client.Request) (*client.Result, error) {
	if s.conn.Broken() != nil {
		keyspace := s.conn.Keyspace()
		_ = s.conn.Close() // it is broken
		if err := s.connect(ctx, keyspace); err != nil {
			s.lost = fmt.Errorf("the connection was lost, and there is no new one: %w", err)
			return nil, s.lost
		}
	}
	bounded, cancel := s.within(ctx)
	defer cancel()
	answer, err := s.conn.Query(bounded, r)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err() // given up by the user, not by the timeout
	}
	return answer, err
}

// queryAll returns the columns and the rows of all pages.
func (s *shell) queryAll(ctx context.Context, r client.Request) ([]record, []string, error) {
	var records []record
	var warnings []string
	for {
		answer, err := s.query(ctx, r)
		if err != nil {
			return nil, nil, err
		}
		warnings = append(warnings, answer.Warnings...)
		for row := range answer.Each() {
			one := make(record, len(row))
			for i, c := range answer.Columns() {
				one[c.Name] = field{c.Type, row[i]}
			}
			records = append(records, one)
		}
		if r.PagingState = answer.PagingState(); r.PagingState == nil {
			return records, warnings, nil
		}
	}
}

func columnsOf(answer *client.Result) []column {
	columns := make([]column, len(answer.Columns()))
	for i, c := range answer.Columns() {
		columns[i] = column{c.Name, c.Type}
	}
	return columns
}

func (s *shell) cellsOf(columns []column, answer *client.Result) [][]cell {
	var cells [][]cell
	for row := range answer.Each() {
		cells = append(cells, s.values(columns, row))
	}
	return cells
}

// close ends the connection.
func (s *shell) close() {
	if s.conn != nil {
		_ = s.conn.Close() // the process ends with it
	}
}

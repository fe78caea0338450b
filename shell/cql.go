// Package shell runs CQL that people type.
//
// At this stage it carries out the statements given on the command line, or read from standard
// input, on a node embedded in the process, and prints rows as aligned tables. An interactive
// shell over the native protocol comes with that protocol.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/node"
	"github.com/iliumdb/ilium/query/plan"
)

// CQLCommand returns `ilium cql`. start opens the node that the command's settings describe.
func CQLCommand(start func(context.Context) (*node.Node, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "cql [STATEMENT...]",
		Short: "Run CQL statements on a node embedded in this process",
		Long: "Run CQL statements on a node embedded in this process, on the data_directory of the settings.\n" +
			"Statements are arguments, or are read from standard input; semicolons part them.",
		RunE: func(c *cobra.Command, statements []string) (err error) {
			n, err := start(c.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, n.Stop()) }()
			session := n.Session()
			if len(statements) == 0 {
				return runAll(c.Context(), session, c.InOrStdin(), c.OutOrStdout())
			}
			for _, s := range statements {
				if err := runAll(c.Context(), session, strings.NewReader(s), c.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// runAll carries out the statements in a text, until the first that fails.
func runAll(ctx context.Context, session *node.Session, in io.Reader, out io.Writer) error {
	list := newStatements(in)
	for {
		statement, err := list.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := Run(ctx, session, statement, out); err != nil {
			return err
		}
	}
}

// Run carries out one statement and prints its rows, page by page.
func Run(ctx context.Context, session *node.Session, statement string, out io.Writer) error {
	rows := session.Query(statement).Iter(ctx)
	defer rows.Close()
	count := 0
	for rows.Next() {
		count += printPage(out, rows)
	}
	for _, w := range rows.Warnings() {
		fmt.Fprintf(out, "Warning: %s\n", w)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	columns := rows.Columns()
	if len(columns) == 0 {
		return nil
	}
	if count == 0 {
		printTable(out, [][]string{names(columns)})
	}
	_, err := fmt.Fprintf(out, "(%d rows)\n", count)
	return err
}

// printPage prints the row at hand and the rest of its page, and returns how many these are.
func printPage(out io.Writer, rows *node.Iter) int {
	columns := rows.Columns() // of this page: the schema may change before the next
	lines := [][]string{names(columns)}
	for {
		cells := make([]string, len(columns))
		for i, v := range rows.Raw() {
			cells[i] = string(columns[i].Type.AppendText(nil, v))
		}
		lines = append(lines, cells)
		if rows.PageLeft() == 0 || !rows.Next() {
			break
		}
	}
	printTable(out, lines)
	return len(lines) - 1
}

// names returns the names of columns.
func names(columns []plan.Spec) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

// printTable prints a header and rows, aligned.
func printTable(out io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, r := range rows {
		for i, cell := range r {
			if i > 0 {
				fmt.Fprint(out, " | ")
			}
			fmt.Fprint(out, cell)
			if i < len(r)-1 {
				fmt.Fprint(out, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
			}
		}
		fmt.Fprintln(out)
		if n == 0 {
			parts := make([]string, len(widths))
			for i, w := range widths {
				parts[i] = strings.Repeat("-", w)
			}
			fmt.Fprintln(out, strings.Join(parts, "-+-"))
		}
	}
}

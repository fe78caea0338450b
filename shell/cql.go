// Package shell runs CQL that people type.
//
// At this stage it carries out the statements given on the command line, or read from standard
// input, on a node embedded in the process, and prints rows as aligned tables. An interactive
// shell over the native protocol comes with that protocol.
package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/iliumdb/ilium/node"
)

// CQLCommand returns `ilium cql`. start opens the node that the command's settings describe.
func CQLCommand(start func(context.Context) (*node.Node, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "cql [STATEMENT...]",
		Short: "Run CQL statements on a node embedded in this process",
		Long: "Run CQL statements on a node embedded in this process, on the data_directory of the settings.\n" +
			"Statements are arguments, or are read from standard input, each ending in a semicolon at the end of a line.",
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
				if err := Run(c.Context(), session, s, c.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// maxStatement is the longest statement that is read from standard input.
const maxStatement = 16 << 20

func runAll(ctx context.Context, session *node.Session, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxStatement)
	var statement strings.Builder
	for lines.Scan() {
		statement.WriteString(lines.Text())
		statement.WriteByte('\n')
		if strings.HasSuffix(strings.TrimSpace(lines.Text()), ";") {
			if err := Run(ctx, session, statement.String(), out); err != nil {
				return err
			}
			statement.Reset()
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if rest := strings.TrimSpace(statement.String()); rest != "" {
		return Run(ctx, session, rest, out)
	}
	return nil
}

// Run carries out one statement and prints its rows, page by page.
func Run(ctx context.Context, session *node.Session, statement string, out io.Writer) error {
	rows := session.Query(statement).Iter(ctx)
	defer rows.Close()
	columns := rows.Columns()
	var page [][]string
	count := 0
	flush := func() {
		if len(page) > 0 {
			printTable(out, page)
			page = page[:0]
		}
	}
	for rows.Next() {
		if len(page) == 0 {
			header := make([]string, len(columns))
			for i, c := range columns {
				header[i] = c.Name
			}
			page = append(page, header)
		}
		cells := make([]string, len(columns))
		for i, v := range rows.Raw() {
			cells[i] = string(columns[i].Type.AppendText(nil, v))
		}
		page = append(page, cells)
		if count++; rows.PageLeft() == 0 {
			flush()
		}
	}
	flush()
	for _, w := range rows.Warnings() {
		fmt.Fprintf(out, "Warning: %s\n", w)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if len(columns) > 0 {
		fmt.Fprintf(out, "(%d rows)\n", count)
	}
	return nil
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

package shell

import (
	"context"
	"errors"
	"io"
	"strings"

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
	printing := &result{printer: printer{out: out}.of(statement)}
	for rows.Next() {
		printing.page(pageOf(printing, rows))
	}
	if err := rows.Err(); err != nil {
		printing.warnings(rows.Warnings())
		return err
	}
	if columns := rows.Columns(); len(columns) > 0 {
		if printing.pages == 0 {
			printing.page(specColumns(columns), nil)
		}
		printing.end()
	}
	printing.warnings(rows.Warnings())
	return nil
}

// pageOf returns the row at hand and the rest of its page, and their columns: the schema may change before the next page.
func pageOf(printing *result, rows *node.Iter) ([]column, [][]cell) {
	columns := specColumns(rows.Columns())
	var cells [][]cell
	for {
		cells = append(cells, printing.values(columns, rows.Raw()))
		if rows.PageLeft() == 0 || !rows.Next() {
			return columns, cells
		}
	}
}

func specColumns(specs []plan.Spec) []column {
	columns := make([]column, len(specs))
	for i, c := range specs {
		columns[i] = column{c.Name, c.Type}
	}
	return columns
}

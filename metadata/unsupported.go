package metadata

import (
	"fmt"

	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/schema"
)

// unsupported returns the error for a feature that there is not. plural is its name, and clause the
// words of the statement that ask for it.
func unsupported(plural, clause string) error {
	return schema.Invalid("%s are not supported yet (%s)", plural, clause)
}

// refuse returns the error for a statement that Apply does not carry out.
func refuse(c *Change, statement ast.Statement) error {
	no := func(name ast.Qualified, permission, plural, clause string) error {
		keyspace, err := c.keyspaceOf(name)
		if err != nil {
			return err
		}
		if err := authorize(permission, keyspace, ""); err != nil {
			return err
		}
		return unsupported(plural, clause)
	}
	const (
		indexes    = "Secondary indexes"
		views      = "Materialized views"
		functions  = "User-defined functions"
		aggregates = "User-defined aggregates"
		triggers   = "Triggers"
	)
	switch st := statement.(type) {
	case *ast.CreateIndex:
		return no(st.Table, "ALTER", indexes, "CREATE INDEX")
	case *ast.DropIndex:
		return no(st.Index, "ALTER", indexes, "DROP INDEX")
	case *ast.CreateMaterializedView:
		return no(st.View, "CREATE", views, "CREATE MATERIALIZED VIEW")
	case *ast.AlterMaterializedView:
		return no(st.View, "ALTER", views, "ALTER MATERIALIZED VIEW")
	case *ast.DropMaterializedView:
		return no(st.View, "DROP", views, "DROP MATERIALIZED VIEW")
	case *ast.CreateFunction:
		return no(st.Function, "CREATE", functions, "CREATE FUNCTION")
	case *ast.DropFunction:
		return no(st.Function, "DROP", functions, "DROP FUNCTION")
	case *ast.CreateAggregate:
		return no(st.Aggregate, "CREATE", aggregates, "CREATE AGGREGATE")
	case *ast.DropAggregate:
		return no(st.Aggregate, "DROP", aggregates, "DROP AGGREGATE")
	case *ast.CreateTrigger:
		return no(st.Table, "CREATE", triggers, "CREATE TRIGGER")
	case *ast.DropTrigger:
		return no(st.Table, "DROP", triggers, "DROP TRIGGER")
	case *ast.CreateTableLike:
		return no(st.Table, "CREATE", "Copies of tables", "CREATE TABLE ... LIKE")
	default:
		return fmt.Errorf("%T does not change the schema", statement)
	}
}

func errMasked() error   { return unsupported("Data masks", "MASKED WITH") }
func errCounters() error { return schema.Invalid("Counters are not supported yet") }

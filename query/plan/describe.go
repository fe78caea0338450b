package plan

import (
	"github.com/iliumdb/ilium/grammar/ast"
	"github.com/iliumdb/ilium/metadata"
	"github.com/iliumdb/ilium/schema/cqltype"
)

// A Describe prints what exists. What its names mean is found out when it is carried out.
type Describe struct {
	Statement *ast.Describe
	Keyspace  string // of the session
	Columns   []Spec // of the result
}

// Markers returns nil: DESCRIBE has none.
func (*Describe) Markers() []Spec { return nil }

func (d *Describe) String() string { return "Describe: " + d.Statement.String() }

func (p *planner) describe(s *ast.Describe) (*Describe, error) {
	d := &Describe{Statement: s, Keyspace: p.keyspace}
	names := []string{"keyspace_name", "type", "name"}
	switch s.Kind {
	case ast.DescribeCluster:
		names = []string{"cluster", "partitioner", "snitch"}
	case ast.DescribeKeyspaces, ast.DescribeTables, ast.DescribeTypes, ast.DescribeFunctions, ast.DescribeAggregates:
	default:
		names = append(names, "create_statement")
	}
	for _, name := range names {
		d.Columns = append(d.Columns, describeSpec(name, cqltype.TypeText))
	}
	if d.ShowsRing() {
		owners, err := cqltype.Parse("map<text, frozen<list<text>>>", nil)
		if err != nil {
			return nil, err
		}
		d.Columns = append(d.Columns, describeSpec("range_ownership", owners))
	}
	return d, nil
}

// ShowsRing reports whether the result says who owns which range of tokens: DESCRIBE CLUSTER says it of the session's
// keyspace, if that is not one of the system's.
func (d *Describe) ShowsRing() bool {
	return d.Statement.Kind == ast.DescribeCluster && d.Keyspace != "" && !metadata.IsSystem(d.Keyspace)
}

func describeSpec(name string, t *cqltype.Type) Spec {
	return Spec{Keyspace: "system", Table: "describe", Name: name, Type: t}
}

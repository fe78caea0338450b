package shell

import (
	"context"
	"errors"
	"strings"

	"github.com/iliumdb/ilium/coordinator/consistency"
	"github.com/iliumdb/ilium/schema/cqltype"
	"github.com/iliumdb/ilium/wire/cql/frame"
)

// describe sends DESCRIBE to the server, and prints its rows as cqlsh does.
func (s *shell) describe(ctx context.Context, statement string) {
	request := s.request(strings.TrimSpace(statement))
	request.Consistency, request.SerialConsistency = consistency.LocalOne, 0
	records, warnings, err := s.queryAll(ctx, request)
	if err != nil {
		s.failDescribe(err)
		return
	}
	words := splitWords(statement)
	what := ""
	if len(words) > 1 {
		what = strings.ToUpper(words[1])
	}
	switch what {
	case "KEYSPACES":
		s.describeKeyspaces(records)
	case "TABLES", "COLUMNFAMILIES", "TYPES", "FUNCTIONS", "AGGREGATES":
		s.describeNames(records)
	case "CLUSTER":
		s.describeCluster(records)
	default:
		for _, r := range records {
			s.printf("\n%s", r.raw("create_statement"))
		}
	}
	s.warnings(warnings)
}

// failDescribe says why there is nothing to describe. Of what the server has refused, the message is enough.
func (s *shell) failDescribe(err error) {
	if refused, ok := errors.AsType[*frame.Error](err); ok && refused.Code == frame.ErrorInvalid {
		s.fail("%s", refused.Message)
		return
	}
	s.fail("%s", describeError(err, s.timeout))
}

func (s *shell) describeKeyspaces(records []record) {
	names := make([]string, len(records))
	for i, r := range records {
		names[i] = r.raw("name")
	}
	s.printf("")
	s.columnize(names)
	s.printf("")
}

// describeNames prints names by keyspace.
func (s *shell) describeNames(records []record) {
	for len(records) > 0 {
		keyspace := records[0].raw("keyspace_name")
		var names []string
		for len(records) > 0 && records[0].raw("keyspace_name") == keyspace {
			names = append(names, records[0].raw("name"))
			records = records[1:]
		}
		s.printf("")
		if s.conn.Keyspace() == "" {
			s.printf("Keyspace %s", keyspace)
			s.printf("---------%s", strings.Repeat("-", len(keyspace)))
		}
		s.columnize(names)
		if len(records) == 0 {
			s.printf("")
		}
	}
}

func (s *shell) describeCluster(records []record) {
	for _, r := range records {
		s.printf("\nCluster: %s", r.raw("cluster"))
		s.printf("Partitioner: %s", r.raw("partitioner"))
		s.printf("Snitch: %s\n", r.raw("snitch"))
		if !r.has("range_ownership") {
			continue
		}
		s.printf("Range ownership:")
		ownership := r["range_ownership"]
		elements := ownership.typ.Elements(ownership.value)
		for elements.Next() {
			token := string(elements.Value())
			if !elements.Next() {
				break
			}
			s.printf(" %39s  [%s]", token, strings.Join(texts(ownership.typ.ValueType(), elements.Value()), ", "))
		}
		s.printf("")
	}
}

// texts returns the elements of a list of texts.
func texts(t *cqltype.Type, value []byte) []string {
	var list []string
	for elements := t.Elements(value); elements.Next(); {
		list = append(list, string(elements.Value()))
	}
	return list
}

// listWidth is the width in which cqlsh lists names.
const listWidth = 80

// columnize prints names in as few lines as they fit into, down the columns, as Python's cmd module does.
func (s *shell) columnize(names []string) {
	if len(names) == 0 {
		s.printf("<empty>")
		return
	}
	lines, widths := layOut(names)
	for line := range lines {
		var cells []string
		for c := range widths {
			if i := line + lines*c; i < len(names) {
				cells = append(cells, names[i])
			}
		}
		for c := range cells {
			cells[c] += strings.Repeat(" ", max(0, widths[c]-cell{text: cells[c]}.width()))
		}
		s.printf("%s", strings.Join(cells, "  "))
	}
}

// layOut returns the least number of lines for names in columns, and the widths of these.
func layOut(names []string) (lines int, widths []int) {
	for lines = 1; lines < len(names); lines++ {
		widths = nil
		total := -2
		for at := 0; at < len(names); at += lines {
			w := 0
			for _, name := range names[at:min(at+lines, len(names))] {
				w = max(w, cell{text: name}.width())
			}
			widths = append(widths, w)
			total += w + 2
		}
		if total <= listWidth {
			return lines, widths
		}
	}
	return len(names), []int{0}
}

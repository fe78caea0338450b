package cql

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// printer writes the outcome of one directive.
type printer struct {
	strings.Builder
	keyspace string
	brief    bool
}

func (p *printer) line(format string, args ...any) {
	p.WriteString(strings.TrimRight(shorten(fmt.Sprintf(format, args...), p.keyspace), " "))
	p.WriteByte('\n')
}

// markers prints the bind markers of a prepared statement.
func (p *printer) markers(r Result) {
	p.line("markers: %s", header(r.Markers, ", "))
	if len(r.PartitionKey) > 0 {
		p.line("partition key: %s", strings.Trim(fmt.Sprint(r.PartitionKey), "[]"))
	}
}

// pages prints what one execution of a statement answered, page by page.
func (p *printer) pages(pages []Result) {
	if pages[0].Columns == nil {
		p.line("ok")
	} else {
		p.line("%s", header(pages[0].Columns, " | "))
	}
	count := 0
	last := len(pages) - 1
	for i, page := range pages {
		if i == last && i > 0 && len(page.Rows) == 0 {
			break // whether a full last page is followed by an empty one is no one's business
		}
		if i > 0 {
			p.line("-- page")
		}
		p.rows(page)
		count += len(page.Rows)
	}
	if pages[0].Columns != nil {
		p.line("(%d rows)", count)
	}
	for _, page := range pages {
		for _, warning := range page.Warnings {
			p.line("-- warning: %s", strings.ReplaceAll(warning, "\n", `\n`))
		}
	}
}

func (p *printer) rows(r Result) {
	for i, row := range r.Rows {
		if p.brief && i > 0 && i < len(r.Rows)-1 {
			if i == 1 {
				p.line("-- %d rows", len(r.Rows)-2)
			}
			continue
		}
		var b []byte
		for c, value := range row {
			if c > 0 {
				b = append(b, " | "...)
			}
			b = r.Columns[c].Type.AppendLiteral(b, value)
		}
		p.line("%s", strings.ReplaceAll(string(b), "\n", `\n`))
	}
}

// signatures are the functions that were considered for a call; Cassandra lists them in no particular order.
var signatures = regexp.MustCompile(`(signatures?: ).* -> [a-z]+\)`)

// error prints an error of the database.
func (p *printer) error(err *Error) {
	text := strings.ReplaceAll(err.Error(), "\n", `\n`)
	p.line("%s", signatures.ReplaceAllString(text, "$1...)"))
}

// header returns columns as "name type" with a separator between them.
func header(columns []Column, separator string) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name + " " + typeName(c.Type)
	}
	return strings.Join(names, separator)
}

// typeName returns the name of t without frozen.
func typeName(t *cqltype.Type) string {
	list := func(types ...*cqltype.Type) string {
		names := make([]string, len(types))
		for i, t := range types {
			names[i] = typeName(t)
		}
		return t.Kind().String() + "<" + strings.Join(names, ", ") + ">"
	}
	switch t.Kind() {
	case cqltype.KindList, cqltype.KindSet:
		return list(t.ElementType())
	case cqltype.KindMap:
		return list(t.KeyType(), t.ValueType())
	case cqltype.KindTuple:
		return list(t.FieldTypes()...)
	case cqltype.KindVector:
		return fmt.Sprintf("vector<%s, %d>", typeName(t.ElementType()), t.Dimension())
	case cqltype.KindUDT:
		_, name := t.UDTName()
		return cqltype.QuoteName(name)
	}
	return t.String()
}

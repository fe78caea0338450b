package shell

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/iliumdb/ilium/schema/cqltype"
)

// A column is the name and the type of a column of a result.
type column struct {
	name string
	typ  *cqltype.Type
}

// A cell is a name or a value as it is shown.
type cell struct {
	text  string
	color string // "" for none
}

// width returns how many columns of a terminal the text takes.
func (c cell) width() int {
	n := 0
	for _, r := range c.text {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r < 0x300 { // all of these have a width of one; control characters are escaped before
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// A printer prints results in the layout of cqlsh, which differs a little between terminals and other outputs.
type printer struct {
	out      io.Writer
	terminal bool // pages are read one at a time, so each has a header, and an empty line behind it
	colors   bool
	expand   bool // one line for each value
	left     bool // values begin at the left, so that the indentation of a plan is seen; cqlsh knows no plans
}

// of returns the printer for the result of a statement.
func (p printer) of(statement string) *printer {
	p.left = strings.EqualFold(firstWord(statement), "EXPLAIN")
	return &p
}

// printf prints a line.
func (p *printer) printf(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...) // a broken output is found by whoever closes it
}

// header returns the cells of the names of columns.
func (p *printer) header(columns []column) []cell {
	cells := make([]cell, len(columns))
	for i, c := range columns {
		cells[i] = p.text(c.name, magenta)
	}
	return cells
}

// text returns the cell of a text.
func (p *printer) text(s, color string) cell {
	if !p.colors {
		color = ""
	}
	return cell{string(cqltype.TypeText.AppendText(nil, []byte(s))), color}
}

// values returns the cells of a row.
func (p *printer) values(columns []column, row [][]byte) []cell {
	cells := make([]cell, len(row))
	for i, v := range row {
		cells[i].text = string(columns[i].typ.AppendText(nil, v))
		if p.colors {
			cells[i].color = colorOf(columns[i].typ, v)
		}
	}
	return cells
}

// table prints rows as an aligned table. The header is printed anyway if there are no rows.
func (p *printer) table(header []cell, rows [][]cell, withHeader bool) {
	widths := make([]int, len(header))
	for _, row := range append([][]cell{header}, rows...) {
		for i, c := range row {
			widths[i] = max(widths[i], c.width())
		}
	}
	if withHeader || len(rows) == 0 {
		p.headerLines(header, widths)
	}
	if len(rows) == 0 {
		p.printf("")
		return
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			gap := strings.Repeat(" ", widths[i]-c.width())
			line.WriteString(separator(i))
			if p.left {
				line.WriteString(c.colored() + gap)
			} else {
				line.WriteString(gap + c.colored())
			}
		}
		if text := line.String(); p.left {
			p.printf("%s", strings.TrimRight(text, " "))
		} else {
			p.printf("%s", text)
		}
	}
	if p.terminal {
		p.printf("")
	}
}

func (p *printer) headerLines(header []cell, widths []int) {
	var line strings.Builder
	rules := make([]string, len(widths))
	for i, c := range header {
		line.WriteString(separator(i))
		line.WriteString(c.colored())
		if i < len(header)-1 {
			line.WriteString(strings.Repeat(" ", widths[i]-c.width()))
		}
		rules[i] = strings.Repeat("-", widths[i])
	}
	p.printf("%s", &line)
	p.printf("-%s-", strings.Join(rules, "-+-"))
}

func separator(i int) string {
	if i == 0 {
		return " "
	}
	return " | "
}

// vertical prints each value of rows in a line of its own. before is the number of rows printed before.
func (p *printer) vertical(header []cell, rows [][]cell, before int) {
	names, values := 0, 0
	for _, c := range header {
		names = max(names, c.width())
	}
	for _, row := range rows {
		for _, c := range row {
			values = max(values, c.width())
		}
	}
	for i, row := range rows {
		p.printf("@ Row %d", before+i+1)
		p.printf("-%s-+-%s-", strings.Repeat("-", names), strings.Repeat("-", values))
		for k, c := range row {
			p.printf(" %s%s | %s", header[k].colored(), strings.Repeat(" ", names-header[k].width()), c.colored())
		}
		p.printf("")
	}
}

// A result prints the pages of a result.
type result struct {
	*printer
	columns []column // of the last page
	pages   int
	rows    int
}

// page prints a page. Empty pages behind the first one are not shown.
func (r *result) page(columns []column, rows [][]cell) {
	changed := !slices.EqualFunc(r.columns, columns, func(a, b column) bool { return a.name == b.name })
	withHeader := r.pages == 0 || r.terminal || changed
	if r.pages == 0 {
		r.printf("")
	}
	r.pages++
	r.columns = columns
	if len(rows) == 0 && r.pages > 1 || len(columns) == 0 {
		return
	}
	header := r.header(columns)
	if r.expand && len(rows) > 0 {
		r.vertical(header, rows, r.rows)
	} else {
		r.table(header, rows, withHeader)
	}
	r.rows += len(rows)
}

// end prints the number of rows.
func (r *result) end() {
	if !r.terminal {
		r.printf("")
	}
	r.printf("(%d rows)", r.rows)
}

// warnings prints what the server did not like.
func (p *printer) warnings(list []string) {
	if len(list) == 0 {
		return
	}
	p.printf("\nWarnings :")
	for _, w := range list {
		p.printf("%s\n", w)
	}
}

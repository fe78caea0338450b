package shell

import "github.com/iliumdb/ilium/schema/cqltype"

// The colors of cqlsh, as escape sequences of terminals.
const (
	red         = "\x1b[0;1;31m"
	green       = "\x1b[0;1;32m"
	yellow      = "\x1b[0;1;33m"
	blue        = "\x1b[0;1;34m"
	magenta     = "\x1b[0;1;35m"
	darkMagenta = "\x1b[0;35m"
	plain       = "\x1b[0m"
)

// colorOf returns the color in which a value is shown.
func colorOf(t *cqltype.Type, value []byte) string {
	if value == nil {
		return red
	}
	switch t.Kind() {
	case cqltype.KindText, cqltype.KindASCII:
		return yellow
	case cqltype.KindBlob:
		return darkMagenta
	case cqltype.KindList, cqltype.KindSet, cqltype.KindMap, cqltype.KindTuple, cqltype.KindUDT, cqltype.KindVector:
		return blue
	default:
		return green
	}
}

func (c cell) colored() string {
	if c.color == "" {
		return c.text
	}
	return c.color + c.text + plain
}

// in returns a text in a color, if there are to be colors.
func (p *printer) in(color, text string) string {
	if !p.colors {
		return text
	}
	return color + text + plain
}

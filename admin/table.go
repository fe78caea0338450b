package admin

import (
	"fmt"
	"io"
	"strings"
)

// table prints rows in columns that are as wide as needed.
func table(out io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(text)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], text)
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}

// size writes a number of bytes as nodetool does.
func size(bytes int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if bytes < 1<<10 {
		return fmt.Sprintf("%d bytes", bytes)
	}
	n := float64(bytes)
	for i, unit := range units {
		if n /= 1 << 10; n < 1<<10 || i == len(units)-1 {
			return fmt.Sprintf("%.2f %s", n, unit)
		}
	}
	return ""
}

func sizeOrUnknown(bytes *int64) string {
	if bytes == nil {
		return "?"
	}
	return size(*bytes)
}

// percent writes a part of 1; ? if it has no meaning.
func percent(part *float64, digits int) string {
	if part == nil {
		return "?"
	}
	return fmt.Sprintf("%.*f%%", digits, *part*100)
}

package config

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Write prints every setting as a line of YAML: name, value, and the source as a comment. A setting
// without effect or value is commented out, because a file must not set it, and a secret is, because it
// is not shown. The whole output is a valid file that gives the same Config but for secrets. The error is that of w.
func (l *Loaded) Write(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, v := range l.Settings {
		line := fmt.Sprintf("%s:\t%s\t# %s\n", v.Setting, v.Text, v.Source)
		switch {
		case v.Text == "":
			line = fmt.Sprintf("# %s:\t\tnot set\n", v.Setting)
		case lookup(v.Setting).secret():
			line = fmt.Sprintf("# %s:\t%s\tsecret: %s\n", v.Setting, v.Text, v.Source)
		case v.OnlyWith != "":
			line = fmt.Sprintf("# %s:\t%s\tno effect: used with commitlog_sync: %s only\n", v.Setting, v.Text, v.OnlyWith)
		}
		if _, err := io.WriteString(columns, line); err != nil {
			return err
		}
	}
	return columns.Flush()
}

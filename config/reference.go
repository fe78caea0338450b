package config

import (
	"fmt"
	"strings"
)

// Reference returns docs/CONFIGURATION.md, the user's description of every setting, as Markdown.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(referenceHead)
	b.WriteString("| Setting | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n")
	for _, s := range settings {
		if s.reserved {
			continue
		}
		allowed, about := s.allowed, s.about
		if allowed == "" {
			allowed = "not empty"
		}
		if s.onlyWith != "" {
			about += fmt.Sprintf(" Only with `commitlog_sync: %s`.", s.onlyWith)
		}
		def := "`" + s.def + "`"
		if s.def == "" {
			def, allowed = "none", "may be empty"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.name, s.kind, def, allowed, about)
	}
	b.WriteString(referenceCombinations)
	for _, c := range combinations {
		fmt.Fprintf(&b, "- `%s` and `%s`: %s.\n", c.first, c.second, c.rule)
	}
	b.WriteString(referenceReserved)
	for _, s := range settings {
		if s.reserved {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.name, s.kind, s.about)
		}
	}
	return []byte(b.String())
}

const referenceHead = `# Configuration

<!-- Generated from config/table.go by: go generate ./config -->

Every setting has one name. Its value is the last one given by these sources:

1. the default,
2. a YAML file: the one named by ` + "`--config FILE`, or `ilium.yaml`" + ` in the working directory if it exists,
3. an environment variable: ` + "`ILIUM_` and the name in upper case, such as `ILIUM_MEMORY`" + `,
4. ` + "`--set name=value`" + ` on the command line, as often as needed; the last one for a name holds.

` + "`ilium config`" + ` prints every value and its source in the form of a file. It reads the same sources as
` + "`ilium start`" + `, so it also shows what a change would do before the node is started with it.

` + "```yaml" + `
# ilium.yaml
cluster_name: mail
data_directory: /var/lib/ilium
memory: 4GiB
` + "```" + `

Nothing is ignored. An unknown name, a name set twice in the file, a value of the wrong type or out of
range, a setting that has no effect beside the others, and one that is not supported yet are errors, and
all of them are reported at once with file and line. An unknown variable that begins with ` + "`ILIUM_`" + ` is an
error as well.

## Values

Names and notation follow cassandra.yaml of Cassandra 5.0. Units are case-sensitive.

| Type | Written as | Units |
|---|---|---|
| text, path | any text on one line | |
| address | the name or IP address of a machine | |
| list of addresses | in YAML a list, elsewhere separated by commas; each is an address, or one with a port as in ` + "`10.0.0.1:7000`" + ` | |
| whole number | ` + "`5000`" + ` | none |
| number | ` + "`8`" + ` or ` + "`0.5`" + ` | none |
| size | ` + "`16MiB`" + ` | B, KiB, MiB, GiB; a plain 0 needs none |
| rate | ` + "`64MiB/s`" + ` | B/s, KiB/s, MiB/s; a plain 0 needs none |
| duration | ` + "`10s`" + ` | ns, us, ms, s, m, h, d; always required |
| choice | one of the allowed words | |
| switch | ` + "`true` or `false`" + ` | |
| secret | text that is never shown; not with ` + "`--set`, and in a file only if others cannot read it" + ` | |

## Settings

`

const referenceCombinations = `
## Combinations

Each setting marked "only with" is an error if it is set beside another ` + "`commitlog_sync`" + `. These pairs
constrain each other:

`

const referenceReserved = `
## Not honored yet

These names are reserved. This version serves the embedded API, the command line, the CQL native protocol and HTTP for operators:
setting one of them is an error.

| Setting | Type | Meaning |
|---|---|---|
`

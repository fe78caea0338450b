package rules

import (
	"slices"
	"strings"
)

// layers lists all packages. A package may import those in the rows below its own, and none in its
// own row or above.
func layers() [][]string {
	return [][]string{
		{"tests/cluster", "tests/cql", "tests/process"},
		{"."},
		{"workload"},
		{"admin", "shell", "workload/inbox", "workload/kv"},
		{"workload/client"},
		{"tests/nodes"},
		{"node"},
		{"wire/cql", "wire/cql/client", "wire/http"},
		{"query"},
		{"query/system"},
		{"query/plan"},
		{"coordinator", "metadata"},
		{"coordinator/hint", "coordinator/paxos", "coordinator/snitch", "coordinator/stream", "metadata/raftlog"},
		{"storage"},
		{"storage/page", "tests/fakes"},
		{"schema", "grammar", "gossip", "wire/cql/frame"},
		{"wire/peer"},
		{"ring", "wire/peer/memory", "wire/workers", "trace", "fault", "coordinator/consistency", "schema/cqltype", "storage/row", "grammar/ast", "grammar/gen", "auth", "config", "workload/bench", "workload/mail", "tests/certificates", "tests/rules"},
		{"codec"},
	}
}

// homes says which packages may import a module or package that others must not depend on. It also
// covers what lies below the module's path.
func homes() map[string][]string {
	return map[string][]string{
		"github.com/dgraph-io/badger/v4":       {"storage"},
		"github.com/hashicorp/memberlist":      {"gossip"},
		"github.com/hashicorp/raft":            {"metadata/raftlog"},
		"github.com/hashicorp/go-hclog":        {"metadata/raftlog"},
		"github.com/klauspost/compress":        {"storage/page", "wire/cql/frame", "wire/peer"},
		"github.com/pierrec/lz4/v4":            {"wire/cql/frame"},
		"github.com/antlr4-go/antlr/v4":        {"grammar", "grammar/gen"},
		"github.com/spf13/viper":               {"config"},
		"github.com/spf13/cobra":               {".", "admin", "shell", "workload"},
		"github.com/HdrHistogram":              {"workload/bench"},
		"github.com/apache":                    {"workload/client", "tests/process"},
		"github.com/iliumdb/ilium/grammar/gen": {"grammar"}, // all others see package ast
	}
}

// checkLayers complains of imports that do not go downwards, and of those of foreign modules in
// places that are not theirs.
func checkLayers(t *tree, layers [][]string, homes map[string][]string) []string {
	rows := make(map[string]int)
	for i, row := range layers {
		for _, name := range row {
			rows[name] = i
		}
	}
	var complaints []string
	for _, d := range t.dirs {
		if _, known := rows[d.path]; !known {
			complaints = append(complaints, d.path+": the package is not in the table of layers")
			continue
		}
		for _, f := range d.files {
			complaints = append(complaints, checkImports(t, d, f, rows, homes)...)
		}
	}
	for name := range rows {
		if !slices.ContainsFunc(t.dirs, func(d *dir) bool { return d.path == name }) {
			complaints = append(complaints, name+": the table of layers names a package that does not exist")
		}
	}
	slices.Sort(complaints)
	return complaints
}

func checkImports(t *tree, d *dir, f *file, rows map[string]int, homes map[string][]string) []string {
	var complaints []string
	for _, spec := range f.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		for outside, home := range homes {
			if within(imported, outside) && !slices.Contains(home, d.path) {
				complaints = append(complaints, t.at(spec, "%s is for %s only", imported, strings.Join(home, ", ")))
			}
		}
		if !within(imported, module) {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(imported, module), "/")
		if name == "" {
			name = "."
		}
		row, known := rows[name]
		own := name == d.path && f.test // a test outside of the package it tests
		if known && row <= rows[d.path] && !own {
			complaints = append(complaints, t.at(spec, "%s must not import %s, which is not in a row below it", d.path, name))
		}
	}
	return complaints
}

// within reports whether an import path is that of a module or package, or lies below it.
func within(importPath, root string) bool {
	return importPath == root || strings.HasPrefix(importPath, root+"/")
}

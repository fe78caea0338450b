package rules

import (
	"fmt"
	"go/ast"
)

const (
	maxFileLines     = 1000
	maxFunctionLines = 100
)

// checkSize complains of files and functions that are too long to be read at once.
func checkSize(t *tree) []string {
	var complaints []string
	t.written(func(_ *dir, f *file) {
		if f.lines > maxFileLines {
			complaints = append(complaints, fmt.Sprintf("%s: %d lines, at most %d", f.path, f.lines, maxFileLines))
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				n := t.fset.Position(d.End()).Line - t.fset.Position(d.Pos()).Line + 1
				if n > maxFunctionLines {
					complaints = append(complaints, t.at(d, "%s has %d lines, at most %d", d.Name, n, maxFunctionLines))
				}
			}
		}
	})
	return complaints
}

// checkSleep complains of tests that call time.Sleep.
func checkSleep(t *tree) []string {
	var complaints []string
	t.written(func(_ *dir, f *file) {
		if !f.test {
			return
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					complaints = append(complaints, t.at(s, "a test sleeps"))
				}
			}
			return true
		})
	})
	return complaints
}

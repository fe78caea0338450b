package rules

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// module is the prefix of the repository's own import paths.
const module = "github.com/iliumdb/ilium"

// A tree is the repository, or a small one in a test of a rule.
type tree struct {
	files fs.FS
	fset  *token.FileSet
	dirs  []*dir // those that hold Go files, sorted by path
}

// A dir is a folder with Go files: one package, and perhaps the tests outside of it.
type dir struct {
	path  string // relative to the root, "." for the root itself
	files []*file
}

// A file is one parsed Go file.
type file struct {
	*ast.File
	path      string
	lines     int
	test      bool
	generated bool
}

// load parses all Go files in files. Like the go tool, it passes over testdata, hidden folders, and modules inside of
// this one.
func load(files fs.FS) (*tree, error) {
	t := &tree{files: files, fset: token.NewFileSet()}
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && (e.Name() == "testdata" || strings.ContainsRune("._", rune(e.Name()[0]))):
			return fs.SkipDir
		case e.IsDir() && name != "." && isModule(files, name):
			return fs.SkipDir
		case e.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		return t.add(name)
	})
	return t, err
}

func isModule(files fs.FS, folder string) bool {
	_, err := fs.Stat(files, path.Join(folder, "go.mod"))
	return err == nil
}

func (t *tree) add(name string) error {
	text, err := fs.ReadFile(t.files, name)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &file{File: parsed, path: name, lines: bytes.Count(text, []byte("\n")),
		test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(parsed)}
	d := t.dir(path.Dir(name))
	d.files = append(d.files, f)
	return nil
}

// dir returns the folder of a path, and adds it if it is new.
func (t *tree) dir(name string) *dir {
	for _, d := range t.dirs {
		if d.path == name {
			return d
		}
	}
	d := &dir{path: name}
	t.dirs = append(t.dirs, d)
	return d
}

// written calls visit for every file that people write.
func (t *tree) written(visit func(*dir, *file)) {
	for _, d := range t.dirs {
		for _, f := range d.files {
			if !f.generated {
				visit(d, f)
			}
		}
	}
}

// at makes a complaint about a place in a Go file.
func (t *tree) at(where ast.Node, format string, args ...any) string {
	p := t.fset.Position(where.Pos())
	return fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

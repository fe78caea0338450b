package rules

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
)

// allowedState are the package-level variables that change all the same.
func allowedState() map[string]string {
	return map[string]string{
		"grammar.idle": "parsers that have learned the grammar; sharing them between all nodes of the process saves memory and is invisible to callers",
	}
}

// checkInit complains of init functions: what a package does at its import cannot be tested, ordered
// or left out.
func checkInit(t *tree) []string {
	var complaints []string
	t.written(func(_ *dir, f *file) {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" {
				complaints = append(complaints, t.at(d, "init function"))
			}
		}
	})
	return complaints
}

// checkState complains of package-level variables that change, or are made to be changed. What may
// stand there are values that are complete where they are declared and that no code writes to:
// errors, regular expressions, tables.
//
// A write that hides behind an alias or inside of a method is seen only if the variable's type has
// a lock, an atomic or a channel.
func checkState(t *tree, allowed map[string]string) []string {
	used := make(map[string]bool)
	var complaints []string
	for _, d := range t.dirs {
		s := newState(t, d)
		for _, f := range d.files {
			if !f.generated {
				s.declarations(f)
				s.writes(f)
			}
		}
		for name, list := range s.found {
			if name = d.path + "." + name; allowed[name] != "" {
				used[name] = true
			} else {
				complaints = append(complaints, list...)
			}
		}
	}
	for name := range allowed {
		if !used[name] {
			complaints = append(complaints, name+": is allowed to change, but does not")
		}
	}
	slices.Sort(complaints)
	return complaints
}

// A state collects complaints about the variables of one folder.
type state struct {
	tree    *tree
	info    *types.Info
	guarded map[string]bool     // types of the folder that have a lock, an atomic or a channel
	found   map[string][]string // variable -> complaints
}

// newState resolves the identifiers of a folder. Imported packages are not looked at: only what
// belongs to which declaration in the folder matters, so type errors do not.
func newState(t *tree, d *dir) *state {
	s := &state{tree: t, guarded: make(map[string]bool), found: make(map[string][]string)}
	s.info = &types.Info{Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object)}
	packages := make(map[string][]*ast.File)
	for _, f := range d.files {
		if !f.generated {
			packages[f.Name.Name] = append(packages[f.Name.Name], f.File)
			guardedTypes(f, s.guarded)
		}
	}
	config := types.Config{Importer: noImports{}, Error: func(error) {}}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		_, _ = config.Check(module+"/"+d.path+" "+name, t.fset, packages[name], s.info) // see above
	}
	return s
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not looked at") }

// guardedTypes adds the types that f declares as structs with a lock, an atomic or a channel.
func guardedTypes(f *file, into map[string]bool) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			s := s.(*ast.TypeSpec)
			if _, ok := s.Type.(*ast.StructType); ok && isChangeable(s.Type) {
				into[s.Name.Name] = true
			}
		}
	}
}

// isChangeable reports whether a type or expression names a lock, an atomic or a channel outside of functions.
func isChangeable(x ast.Node) bool {
	changeable := false
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.FuncType, *ast.BlockStmt:
			return false
		case *ast.ChanType:
			changeable = true
		case *ast.SelectorExpr:
			if p, ok := n.X.(*ast.Ident); ok && (p.Name == "sync" || p.Name == "atomic") {
				changeable = true
			}
		}
		return true
	})
	return changeable
}

// declarations looks at how package-level variables are declared.
func (s *state) declarations(f *file) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for _, name := range v.Names {
				switch {
				case name.Name == "_":
				case v.Values == nil && !embeds(g, v):
					s.complain(name, "has no value, so it must be written to")
				case isChangeable(v) || s.isGuarded(name):
					s.complain(name, "holds a lock, an atomic or a channel")
				}
			}
		}
	}
}

// isGuarded reports whether a variable's type, or what it points to, is one of s.guarded.
func (s *state) isGuarded(name *ast.Ident) bool {
	typ := s.info.Defs[name].Type()
	if p, ok := typ.(*types.Pointer); ok {
		typ = p.Elem()
	}
	n, ok := typ.(*types.Named)
	return ok && s.guarded[n.Obj().Name()]
}

// embeds reports whether a variable gets its value from a //go:embed comment.
func embeds(g *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

func (s *state) complain(name *ast.Ident, what string) {
	s.found[name.Name] = append(s.found[name.Name], s.tree.at(name, "package-level variable %s %s", name, what))
}

// writes looks for statements that change package-level variables.
func (s *state) writes(f *file) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, x := range n.Lhs {
					s.written(x)
				}
			}
		case *ast.IncDecStmt:
			s.written(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				s.written(n.Key)
				s.written(n.Value)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				s.written(n.X)
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && slices.Contains([]string{"delete", "clear", "copy"}, name.Name) {
				s.written(n.Args[0])
			}
		}
		return true
	})
}

// written complains if x is a package-level variable, or a part of one.
func (s *state) written(x ast.Expr) {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			if s.isPackageLevel(e) {
				s.complain(e, "is written to")
			}
			return
		case *ast.SelectorExpr:
			if p, ok := e.X.(*ast.Ident); ok && s.isImport(p) {
				s.complain(e.Sel, "of package "+p.Name+" is written to")
				return
			}
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return
		}
	}
}

func (s *state) isPackageLevel(name *ast.Ident) bool {
	v, ok := s.info.Uses[name].(*types.Var)
	return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

func (s *state) isImport(name *ast.Ident) bool {
	_, ok := s.info.Uses[name].(*types.PkgName)
	return ok
}

package rules

import (
	"go/ast"
	"go/token"
	"regexp"
)

// checkPackageComments complains of packages whose comment is missing, or detached from the package
// clause by an empty line, where go doc does not see it.
func checkPackageComments(t *tree) []string {
	var complaints []string
	for _, d := range t.dirs {
		commented := false
		for _, f := range d.files {
			opening := regexp.MustCompile(`^(Package ` + f.Name.Name + `|Command [a-z]+)\b`)
			for _, c := range f.Comments {
				if c.Pos() > f.Package || !opening.MatchString(c.Text()) {
					continue
				}
				if commented = true; c != f.Doc {
					complaints = append(complaints, t.at(c, "an empty line detaches the package comment"))
				}
			}
		}
		if !commented {
			complaints = append(complaints, d.path+": the package has no comment that begins with its name")
		}
	}
	return complaints
}

// selfEvident are the methods whose meaning their name fixes.
func selfEvident(method string) bool {
	return method == "Error" || method == "String" || method == "Unwrap"
}

// checkExported complains of exported functions, methods, types, constants and variables without a
// doc comment. The comment of a group stands for what is in it.
func checkExported(t *tree) []string {
	var complaints []string
	t.written(func(_ *dir, f *file) {
		if f.test {
			return
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d)) && !selfEvident(d.Name.Name)) {
					complaints = append(complaints, t.at(d, "%s has no comment", d.Name))
				}
			case *ast.GenDecl:
				if d.Doc == nil || d.Tok == token.TYPE {
					complaints = append(complaints, checkSpecs(t, d)...)
				}
			}
		}
	})
	return complaints
}

// checkSpecs complains of the exported names of a group that has no comment itself.
func checkSpecs(t *tree, d *ast.GenDecl) []string {
	var complaints []string
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
				complaints = append(complaints, t.at(s, "%s has no comment", s.Name))
			}
		case *ast.ValueSpec:
			if s.Doc != nil || s.Comment != nil {
				continue
			}
			for _, name := range s.Names {
				if name.IsExported() {
					complaints = append(complaints, t.at(name, "%s has no comment", name))
				}
			}
		}
	}
	return complaints
}

// receiver returns the name of the type that a method belongs to.
func receiver(d *ast.FuncDecl) string {
	for typ := d.Recv.List[0].Type; ; {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

package reason_test

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

const module = "migrate-to-flux-operator"

// TestOneDoor holds that no error of a library gets around this package: each call that can fail is an argument of Of
// or With, or what it says is not looked at.
func TestOneDoor(t *testing.T) {
	config := &packages.Config{Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedSyntax |
		packages.NeedTypes | packages.NeedTypesInfo | packages.NeedExportFile, Dir: "../.."}
	loaded, err := packages.Load(config, "./fn/...")
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range loaded {
		if strings.Contains(pkg.PkgPath, "/fn/bench") || strings.HasSuffix(pkg.PkgPath, "/fn/git") {
			continue // no part of the program; what is refused there is a name of Git or its own files, and no text of the repository
		}
		for _, file := range pkg.Syntax {
			for _, call := range unguarded(pkg, file) {
				t.Errorf("%s: %s", pkg.Fset.Position(call.Pos()), types.ExprString(call))
			}
		}
	}
}

// unguarded are the calls of a file whose error is a library's and goes on.
func unguarded(pkg *packages.Package, file *ast.File) (calls []ast.Expr) {
	guarded := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr: // a function that is called elsewhere
			if callee, _ := pkg.TypesInfo.Uses[n.Sel].(*types.Func); fails(callee) && !guarded[n] {
				calls = append(calls, n)
			}
		case *ast.CallExpr:
			guarded[n.Fun] = true
			if isDoor(pkg, n) {
				guarded[n.Args[0]] = true
			}
			if fails(calleeOf(pkg, n)) && !guarded[n] {
				calls = append(calls, n)
			}
		case *ast.BinaryExpr: // err != nil
			guarded[n.X] = true
		case *ast.ExprStmt:
			guarded[n.X] = true
		case *ast.AssignStmt:
			if last, ok := n.Lhs[len(n.Lhs)-1].(*ast.Ident); ok && len(n.Rhs) == 1 && (last.Name == "_" || onlyAsked(pkg, file, last)) {
				guarded[n.Rhs[0]] = true
			}
		}
		return true
	})
	return calls
}

// onlyAsked reports whether an error is compared with others, and nothing else.
func onlyAsked(pkg *packages.Package, file *ast.File, name *ast.Ident) bool {
	err := pkg.TypesInfo.ObjectOf(name)
	asked := map[*ast.Ident]bool{name: true}
	only := true
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				asked[x] = true
			}
		case *ast.CallExpr:
			if x, ok := first(n.Args).(*ast.Ident); ok && slices.Contains([]string{"errors.Is", "panic"}, types.ExprString(n.Fun)) {
				asked[x] = true
			}
		case *ast.Ident:
			only = only && (asked[n] || pkg.TypesInfo.Uses[n] != err)
		}
		return true
	})
	return only
}

func first(args []ast.Expr) ast.Expr {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// calleeOf is the function or method that is called.
func calleeOf(pkg *packages.Package, call *ast.CallExpr) *types.Func {
	var name *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		name = fun
	case *ast.SelectorExpr:
		name = fun.Sel
	case *ast.IndexExpr:
		if s, ok := fun.X.(*ast.SelectorExpr); ok {
			name = s.Sel
		}
	}
	callee, _ := pkg.TypesInfo.Uses[name].(*types.Func)
	return callee
}

func isDoor(pkg *packages.Package, call *ast.CallExpr) bool {
	callee := calleeOf(pkg, call)
	return callee != nil && callee.Pkg() != nil && callee.Pkg().Path() == module+"/fn/reason" && len(call.Args) > 0
}

// fails reports whether a function returns an error of a library that may quote what it was given.
func fails(callee *types.Func) bool {
	if callee == nil || callee.Pkg() == nil || !quotes(callee.Pkg().Path()) || slices.Contains(writers, callee.Name()) {
		return false
	}
	results := callee.Signature().Results()
	return results.Len() > 0 && types.Identical(results.At(results.Len()-1).Type(), types.Universe.Lookup("error").Type())
}

// writers write what was read: what they refuse is a type of Go.
var writers = []string{"Marshal", "MarshalIndent", "Encode", "Close", "String", "AsYAML", "WriteFile", "Write"}

// quotes reports whether errors of a package may quote its input: those of the libraries but for the command line's,
// and those of the parsers in the standard library.
func quotes(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return path != module && !strings.HasPrefix(path, module+"/") &&
			slices.ContainsFunc([]string{"encoding", "strconv", "net/url", "regexp", "text/template"}, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
	}
	return !strings.HasPrefix(path, "github.com/spf13/")
}

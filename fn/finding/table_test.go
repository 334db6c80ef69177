package finding

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// word is how a code is written.
var word = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// TestTable holds that each code is told once, and whole.
func TestTable(t *testing.T) {
	names, told := codeNames(t), map[Code]bool{}
	for _, e := range entries() {
		if told[e.Code] {
			t.Errorf("%s is in the table twice", e.Code)
		}
		told[e.Code] = true
		if !word.MatchString(string(e.Code)) {
			t.Errorf("%q is not a code: use words with hyphens", e.Code)
		}
		if n := len(strings.Fields(e.Summary)); n == 0 || n > 15 {
			t.Errorf("%s: the summary has %d words, 1 to 15 is what fits on a line", e.Code, n)
		}
		if e.Means == "" || e.Why == "" || e.Do == "" || len(e.Severities) == 0 {
			t.Errorf("%s: something is not told: %+v", e.Code, e)
		}
		if !slices.IsSortedFunc(e.Severities, func(a, b Severity) int { return rank(a) - rank(b) }) {
			t.Errorf("%s: the worst severity comes first", e.Code)
		}
	}
	for name, code := range names {
		if !told[code] {
			t.Errorf("%s (%s) is not in the table", name, code)
		}
	}
	if len(told) != len(names) {
		t.Errorf("the table has %d codes, and %d are defined", len(told), len(names))
	}
}

// TestEveryFindingHasACode holds that each place which makes a finding names a code of the table, with a severity that
// the table has, and that each code of the table has such a place for each of its severities.
func TestEveryFindingHasACode(t *testing.T) {
	names, used := codeNames(t), map[Code][]Severity{}
	made := 0
	for file, parsed := range productFiles(t) {
		made += len(placesIn(parsed))
		for _, p := range placesIn(parsed) {
			code, known := names[p.code]
			if !known && p.code != "code" { // a parameter, whose callers are places themselves
				t.Errorf("%s: a finding is made with the code %q, and not with one of the table", file, p.code)
				continue
			}
			used[code] = append(used[code], p.severity)
			if e, _ := code.Entry(); known && p.severity != "" && !slices.Contains(e.Severities, p.severity) {
				t.Errorf("%s: %s is made as %s, and the table has %v", file, code, p.severity, e.Severities)
			}
		}
	}
	if made < 250 {
		t.Errorf("only %d places make findings: the test has lost sight of them", made)
	}
	for _, e := range entries() {
		for _, severity := range e.Severities {
			if made := used[e.Code]; !slices.Contains(made, severity) && !slices.Contains(made, "") { // it is computed
				t.Errorf("no finding with the code %s is made as %s", e.Code, severity)
			}
		}
	}
}

// entries are all entries of the table.
func entries() []Entry {
	var all []Entry
	for _, group := range Table {
		all = append(all, group.Entries...)
	}
	return all
}

// codeNames are the codes by the names of their constants.
func codeNames(t *testing.T) map[string]Code {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]Code{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if spec, is := node.(*ast.ValueSpec); is && len(spec.Values) == 1 {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			names[spec.Names[0].Name] = Code(code)
		}
		return true
	})
	return names
}

// productFiles are the files of the product outside of this package.
func productFiles(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") ||
			filepath.Base(filepath.Dir(file)) == "finding" {
			return err
		}
		files[file], err = parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// place is where a finding is made: the name of its code, and its severity where that is written there.
type place struct {
	code     string
	severity Severity
}

// makers are the functions that make a finding with the code as their first argument, and what severity it gets.
var makers = map[string]Severity{"Error": Error, "ErrorAbout": Error, "Warn": Warning, "Info": Info, "Run": Info,
	"say": "", "tell": Info, "stop": Error, "miss": Error, "remark": Warning}

// placesIn are the places of a file that make findings.
func placesIn(file *ast.File) []place {
	var all []place
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr:
			if ofFinding(node.Fun) == "About" && len(node.Args) > 1 {
				all = append(all, place{ofFinding(node.Args[1]), severities[ofFinding(node.Args[0])]})
			}
			if severity, makes := makers[calledName(node.Fun)]; makes && len(node.Args) > 1 && !isOther(node.Fun) {
				if name := ofFinding(node.Args[0]); name != "" {
					all = append(all, place{name, severityOf(node, severity)})
				}
			}
		case *ast.CompositeLit:
			if ofFinding(node.Type) == "Finding" && len(node.Elts) > 0 {
				all = append(all, placeOf(node))
			}
			if list, is := node.Type.(*ast.ArrayType); is && ofFinding(list.Elt) == "Finding" {
				for _, elt := range node.Elts {
					if literal, is := elt.(*ast.CompositeLit); is && literal.Type == nil {
						all = append(all, placeOf(literal))
					}
				}
			}
		}
		return true
	})
	return all
}

// placeOf is a finding that is written out.
func placeOf(literal *ast.CompositeLit) place {
	var p place
	for _, elt := range literal.Elts {
		pair := elt.(*ast.KeyValueExpr)
		switch pair.Key.(*ast.Ident).Name {
		case "Code":
			p.code = ofFinding(pair.Value)
		case "Severity":
			p.severity = severities[ofFinding(pair.Value)]
		}
	}
	return p
}

// severities are the severities by the names of their constants.
var severities = map[string]Severity{"Error": Error, "Warning": Warning, "Info": Info}

// severityOf is the severity that a call gives: that of its function, or the one behind the code.
func severityOf(call *ast.CallExpr, severity Severity) Severity {
	if severity != "" {
		return severity
	}
	return severities[ofFinding(call.Args[1])]
}

// calledName is the name of a function that is called.
func calledName(called ast.Expr) string {
	switch called := called.(type) {
	case *ast.Ident:
		return called.Name
	case *ast.SelectorExpr:
		return called.Sel.Name
	}
	return ""
}

// others have a function of such a name that makes no finding.
var others = []string{"shell", "kustomize", "budget", "krm"}

// isOther reports whether a function that is called makes no finding, whatever its name.
func isOther(called ast.Expr) bool {
	selector, is := called.(*ast.SelectorExpr)
	if !is {
		return !slices.Contains([]string{"tell", "say"}, calledName(called))
	}
	if _, result := selector.X.(*ast.CallExpr); result {
		return true
	}
	of, is := selector.X.(*ast.Ident)
	return is && slices.Contains(others, of.Name)
}

// ofFinding is a name of this package, or of a variable; for a text the text, which is no name.
func ofFinding(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.SelectorExpr:
		if of, is := expr.X.(*ast.Ident); is && of.Name == "finding" {
			return expr.Sel.Name
		}
	case *ast.Ident:
		return expr.Name
	case *ast.BasicLit:
		return expr.Value
	}
	return ""
}

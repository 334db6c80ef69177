package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// listed is a package that is linked, as go list tells of it.
type listed struct {
	Dir, ImportPath  string
	Standard         bool
	Imports, GoFiles []string
}

// linked are the packages that the program is made of.
func linked(t *testing.T) []listed {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("skipped: no go to list packages with")
	}
	list := exec.Command("go", "list", "-deps", "-json=Dir,ImportPath,Standard,Imports,GoFiles", ".")
	out, err := list.StdoutPipe()
	if err == nil {
		err = list.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for decoder := json.NewDecoder(out); ; {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := list.Wait(); err != nil || len(all) < 100 {
		t.Fatalf("go list lists %d packages: %v", len(all), err)
	}
	return all
}

// starters are what starts a program, beside the package os/exec.
var starters = map[string][]string{
	"os":                    {"StartProcess"},
	"syscall":               {"StartProcess", "ForkExec", "Exec", "CreateProcess"},
	"golang.org/x/sys/unix": {"Exec"},
}

// TestNoProgramIsStarted holds that no package of the product can start a program, and knows the packages of others
// that could: what a repository configures would run there.
func TestNoProgramIsStarted(t *testing.T) {
	const product = "migrate-to-flux-operator/fn"
	// kustomize fetches with git, and runs functions; what it would fetch is refused before, and functions are not
	// enabled. The compiler of gnostic has extensions, which nothing here uses.
	known := []string{
		"github.com/google/gnostic-models/compiler",
		"sigs.k8s.io/kustomize/api/internal/builtins",
		"sigs.k8s.io/kustomize/api/internal/git",
		"sigs.k8s.io/kustomize/api/internal/plugins/execplugin",
		"sigs.k8s.io/kustomize/api/internal/plugins/loader",
		"sigs.k8s.io/kustomize/kyaml/fn/runtime/exec",
	}
	own := 0
	var others []string
	for _, p := range linked(t) {
		mine := p.ImportPath == product || strings.HasPrefix(p.ImportPath, product+"/")
		runs := slices.Contains(p.Imports, "os/exec") || slices.Contains(p.Imports, "plugin")
		switch {
		case mine:
			own++
			if runs {
				t.Errorf("%s imports what starts programs: %v", p.ImportPath, p.Imports)
			}
			checkStarters(t, p)
		case runs && !p.Standard:
			others = append(others, p.ImportPath)
		}
	}
	slices.Sort(others)
	if !slices.Equal(others, known) {
		t.Errorf("other packages that can start a program are\n%s\nand known are\n%s", strings.Join(others, "\n"), strings.Join(known, "\n"))
	}
	if own < 10 {
		t.Errorf("only %d packages of the product were looked at", own)
	}
}

// checkStarters looks for calls that start a program without os/exec.
func checkStarters(t *testing.T, p listed) {
	t.Helper()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		imports := map[string]string{}
		for _, spec := range file.Imports {
			at := strings.Trim(spec.Path.Value, `"`)
			as := at[strings.LastIndex(at, "/")+1:]
			if spec.Name != nil {
				as = spec.Name.Name
			}
			imports[as] = at
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if selector, ok := n.(*ast.SelectorExpr); ok {
				if in, ok := selector.X.(*ast.Ident); ok && slices.Contains(starters[imports[in.Name]], selector.Sel.Name) {
					t.Errorf("%s/%s starts a program: %s.%s", p.ImportPath, name, in.Name, selector.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestImportsRunOneWay holds the list of folders in docs/development.md against the imports: each folder imports those
// below it only.
func TestImportsRunOneWay(t *testing.T) {
	text, err := os.ReadFile("../docs/development.md")
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, line := range regexp.MustCompile(`(?m)^fn/(\w+)/ `).FindAllStringSubmatch(string(text), -1) {
		order = append(order, line[1])
	}
	const module = "migrate-to-flux-operator/fn/"
	folder := func(path string) (name string, at int) {
		name, _, _ = strings.Cut(strings.TrimPrefix(path, module), "/")
		return name, slices.Index(order, name)
	}
	for _, p := range linked(t) {
		if !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		from, above := folder(p.ImportPath)
		if above < 0 {
			t.Errorf("docs/development.md does not list fn/%s", from)
		}
		for _, imported := range p.Imports {
			to, below := folder(imported)
			if strings.HasPrefix(imported, module) && below < above {
				t.Errorf("fn/%s imports fn/%s, which docs/development.md lists above it", from, to)
			}
		}
	}
}

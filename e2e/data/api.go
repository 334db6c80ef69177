package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"migrate-to-flux-operator/e2e/operator"
)

// apiModules are the Flux APIs whose fields are counted: in old releases, between which fields came and went, and in
// the newest Flux, whose column of distribution.tsv has the version. Each holds v1, v1beta2 and v1beta1.
var apiModules = []struct {
	path   string
	column string
	old    []string
	kinds  []string
}{
	{"github.com/fluxcd/source-controller/api", "source", []string{"v1.0.0", "v1.4.1"}, []string{"GitRepository", "OCIRepository", "Bucket"}},
	{"github.com/fluxcd/kustomize-controller/api", "kustomize", []string{"v1.0.0", "v1.4.0"}, []string{"Kustomization"}},
}

// apiVersions are the versions that are still met in repositories.
var apiVersions = []string{"v1", "v1beta2", "v1beta1"}

// writeAPIFields lists every leaf field of the Flux APIs that the product maps, with the module versions that have it.
// A leaf is what holds a value, a list or a map.
func writeAPIFields(data, dir string) error {
	distribution, err := readTable(filepath.Join(data, "distribution.tsv"), "flux")
	if err != nil {
		return err
	}
	newest := distribution.rows[len(distribution.rows)-1]
	have := map[[3]string][]string{}
	for _, api := range apiModules {
		for _, version := range append(api.old, newest[slices.Index(distribution.header, api.column)]) {
			if err := readAPI(api.path, version, api.kinds, have); err != nil {
				return err
			}
		}
	}
	t := table{
		source: "# Leaf fields of the Flux APIs, from the Go types of source-controller/api and kustomize-controller/api.",
		header: []string{"kind", "api", "field", "modules"},
	}
	for key, versions := range have {
		t.rows = append(t.rows, append(key[:], strings.Join(versions, " ")))
	}
	slices.SortFunc(t.rows, func(a, b []string) int { return slices.Compare(a, b) })
	return t.write(filepath.Join(dir, "api-fields.tsv"))
}

// readAPI adds the fields of one module version.
func readAPI(path, version string, kinds []string, have map[[3]string][]string) error {
	module, err := operator.Download(path + "@" + version)
	if err != nil {
		return err
	}
	for _, api := range apiVersions {
		pkg, err := parsePackage(module.Dir, api)
		if err != nil {
			return err
		}
		for _, kind := range kinds {
			spec, found := pkg.types[kind+"Spec"]
			if !found {
				continue
			}
			fields, err := spec.leaves("spec", spec.expr)
			if err != nil {
				return fmt.Errorf("%s@%s %s %s: %w", path, version, api, kind, err)
			}
			for _, field := range append(fields, "status") {
				key := [3]string{kind, api, field}
				have[key] = append(have[key], version)
			}
		}
	}
	return nil
}

// apiPackage is a package of API types.
type apiPackage struct {
	module string
	types  map[string]apiType
}

// apiType is one type with what its names mean.
type apiType struct {
	expr    ast.Expr
	pkg     *apiPackage
	imports map[string]string
}

// parsePackage reads the types of a package below a module's folder.
func parsePackage(module, sub string) (*apiPackage, error) {
	pkg := &apiPackage{module: module, types: map[string]apiType{}}
	files, err := filepath.Glob(filepath.Join(module, sub, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		pkg.add(file)
	}
	return pkg, nil
}

func (p *apiPackage) add(file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = path
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				p.types[t.Name.Name] = apiType{expr: t.Type, pkg: p, imports: imports}
			}
		}
	}
}

// leaves lists the leaf fields below a type that is met in t.
func (t apiType) leaves(prefix string, expr ast.Expr) ([]string, error) {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return t.leaves(prefix, e.X)
	case *ast.Ident:
		if local, found := t.pkg.types[e.Name]; found {
			return local.leaves(prefix, local.expr)
		}
	case *ast.SelectorExpr:
		if other, found, err := t.imported(e); err != nil || found {
			if err != nil {
				return nil, err
			}
			return other.leaves(prefix, other.expr)
		}
	case *ast.StructType:
		return t.structLeaves(prefix, e)
	}
	return []string{prefix}, nil
}

func (t apiType) structLeaves(prefix string, s *ast.StructType) ([]string, error) {
	var all []string
	for _, field := range s.Fields.List {
		name, inline, skip := jsonName(field)
		if skip {
			continue
		}
		path := prefix + "." + name
		if inline {
			path = prefix
		}
		below, err := t.leaves(path, field.Type)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}

// jsonName reads the json tag of a field.
func jsonName(field *ast.Field) (name string, inline, skip bool) {
	if field.Tag == nil {
		return "", false, true
	}
	tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
	name, options, _ := strings.Cut(tag, ",")
	return name, options == "inline" || name == "" && len(field.Names) == 0, name == "-" || tag == ""
}

// imported finds a type of a Flux module; types of Kubernetes hold one value each.
func (t apiType) imported(e *ast.SelectorExpr) (apiType, bool, error) {
	alias, ok := e.X.(*ast.Ident)
	if !ok {
		return apiType{}, false, nil
	}
	path := t.imports[alias.Name]
	if !strings.HasPrefix(path, "github.com/fluxcd/") {
		return apiType{}, false, nil
	}
	module, sub, err := t.locate(path)
	if err != nil {
		return apiType{}, false, err
	}
	pkg, err := parsePackage(module, sub)
	if err != nil {
		return apiType{}, false, err
	}
	found, ok := pkg.types[e.Sel.Name]
	if !ok {
		return apiType{}, false, fmt.Errorf("%s has no type %s", path, e.Sel.Name)
	}
	return found, true, nil
}

// locate finds the folder of an imported package: in the module itself, or in the version that its go.mod requires.
func (t apiType) locate(path string) (module, sub string, err error) {
	if base := filepath.Base(path); slices.Contains(apiVersions, base) {
		return t.pkg.module, base, nil
	}
	requires, err := os.ReadFile(filepath.Join(t.pkg.module, "go.mod"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	version := regexp.MustCompile(regexp.QuoteMeta(path) + ` (v\S+)`).FindSubmatch(requires)
	if version == nil {
		return "", "", fmt.Errorf("%s requires no %s", t.pkg.module, path)
	}
	found, err := operator.Download(path + "@" + string(version[1]))
	return found.Dir, ".", err
}

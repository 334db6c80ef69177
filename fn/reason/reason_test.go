package reason_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/fluxcd/pkg/envsubst"
	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	sigs "sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// value stands for what nobody may see.
const value = "hunter2VALUE"

// TestKustomize lets kustomize refuse inputs in words of its own, each with what is said of it.
func TestKustomize(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: VALUE\n"
	for _, c := range []struct {
		name, kustomization string
		files               map[string]string
		want                string
	}{
		{"text of a Secret", "resources: [x]", map[string]string{"x": secret + " b: [VALUE\n"}, "x:5: did not find expected key"},
		{"text of a Secret below", "resources: [sub]", map[string]string{"sub/kustomization.yaml": "resources: [x]", "sub/x": secret + " b: [VALUE\n"}, "sub/x:5: did not find expected key"},
		{"alias", "resources: [x]", map[string]string{"x": secret + "  b: *VALUE\n"}, "x: an alias of an anchor that is not there"},
		{"no name", "resources: [x]", map[string]string{"x": "kind: Secret\nmetadata: {annotations: {a: VALUE}}\n"}, "x: an object has no name or kind"},
		{"no object", "resources: [x]", map[string]string{"x": "VALUE"}, "x: a document is no object"},
		{"no object below", "resources: [sub]", map[string]string{"sub/kustomization.yaml": "resources: [x]", "sub/x": "VALUE"}, "sub/x: a document is no object"},
		{"twice", "resources: [s, s]", nil, "s: an object is there twice: Secret/s"},
		{"literal", "secretGenerator: [{name: s, literals: [VALUE]}]", nil, "a literal of a generator is not key=value"},
		{"literal twice", "secretGenerator: [{name: s, literals: [a=VALUE, a=VALUE]}]", nil, "a generator has a key twice"},
		{"literals", "secretGenerator: [{name: s, literals: VALUE}]", nil, "field secretGenerator.literals: a text where a list is expected"},
		{"generator", "secretGenerator: [VALUE]", nil, "field secretGenerator: a text where a mapping is expected"},
		{"plugin", "generators: ['{apiVersion: builtin, kind: SecretGenerator, metadata: {name: s}, literals: [VALUE]}']", nil, "a literal of a generator is not key=value"},
		{"env file", "secretGenerator: [{name: s, envs: [x]}]", map[string]string{"x": "VALUE\xff=VALUE"}, "an env file of a generator cannot be read"},
		{"no env file", "secretGenerator: [{name: s, envs: [z.txt]}]", nil, "an env file of a generator is not there"},
		{"merge", "secretGenerator: [{name: s, behavior: merge, literals: [a=VALUE]}]", nil, "a generator merges into an object that is not there"},
		{"patch that is text", "resources: [s]\npatches: [{patch: VALUE}]", nil, "a patch is neither an object nor a list of operations"},
		{"patch that is a path", "resources: [s]\npatches: [VALUE]", nil, "field patches: a text where a mapping is expected"},
		{"patch of nothing", "resources: [s]\npatches: [{patch: '{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: n}, stringData: {a: VALUE}}'}]", nil, "a patch finds no object: Secret/n/x"},
		{"patches with target", "resources: [s]\npatches: [{target: {name: s}, patch: \"{kind: Secret, metadata: {name: s}, data: {a: VALUE}}\\n---\\n{kind: Secret, metadata: {name: s}}\"}]", nil,
			"several patches in one entry of patches, which has a target"},
		{"operation", "resources: [s]\npatches: [{target: {kind: Secret}, patch: '[{\"op\": \"replace\", \"path\": \"/stringData/b/c\", \"value\": \"VALUE\"}]'}]", nil, "an operation of a patch finds no field: /stringData/b/c"},
		{"test", "resources: [s]\npatches: [{target: {kind: Secret}, patch: '[{\"op\": \"test\", \"path\": \"/stringData/a\", \"value\": \"VALUE2\"}]'}]", nil, "an operation of a patch tests for another value: /stringData/a"},
		{"no target", "resources: [s]\npatches: [{patch: '[{\"op\": \"add\", \"path\": \"/a\", \"value\": \"VALUE\"}]'}]", nil, "a list of operations has no target"},
		{"no patch file", "resources: [s]\npatches: [{path: z.txt}]", nil, "a file or folder is not there: z.txt"},
		{"inline merge", "resources: [s]\npatchesStrategicMerge: ['{\"kind\": \"Secret\", \"data\": {\"a\": \"VALUE\"}']", nil, "a file or folder is not there"},
		{"JSON patch", "resources: [s]\npatchesJson6902: [{target: {version: v1, kind: Secret, name: s}, patch: VALUE}]", nil, "a patch is neither an object nor a list of operations"},
		{"selector", "resources: [s]\npatches: [{target: {labelSelector: a in VALUE}, patch: '{kind: Secret, metadata: {name: s}}'}]", nil, "a label selector cannot be read"},
		{"pattern", "resources: [s]\npatches: [{target: {name: 'VALUE['}, patch: '{kind: Secret, metadata: {name: s}}'}]", nil, "a name is no regular expression"},
		{"replacement", "resources: [s]\nreplacements: [{source: {kind: Secret, name: s, fieldPath: stringData.a, options: {delimiter: ., index: 5}}, targets: [{select: {kind: Secret}, fieldPaths: [x]}]}]",
			nil, "a replacement has an index that its value does not have"},
		{"replacement of nothing", "resources: [s]\nreplacements: [{source: {kind: Secret, name: x}, targets: [{select: {kind: Secret}, fieldPaths: [x]}]}]", nil, "a replacement finds no source: Secret/x"},
		{"unknown field", "resources: [s]\npatchez: VALUE", nil, "a field that is not known: patchez"},
		{"text", "resources: [s]\nnamespace: VALUE\n namespace: VALUE", nil, "line 3: mapping values are not allowed in this context"},
		{"folder without", "resources: [sub]", map[string]string{"sub/x": "VALUE"}, "sub: a folder has no kustomization.yaml"},
		{"cycle", "resources: [sub]", map[string]string{"sub/kustomization.yaml": "resources: [../]"}, "sub: cycle detected, a kustomization.yaml lists itself or what lists it"},
		{"what is new", "resources: [s]\nsortOptions: {order: VALUE}", nil, "it is refused, in words that may quote a value"},
	} {
		tree := filesys.MakeFsInMemory()
		write := func(name, text string) {
			if err := tree.WriteFile("/source/tree/"+name, []byte(strings.ReplaceAll(text, "VALUE", value))); err != nil {
				t.Fatal(err)
			}
		}
		write("s", secret)
		write("kustomization.yaml", c.kustomization)
		for name, text := range c.files {
			write(name, text)
		}
		_, err := krusty.MakeKustomizer(&krusty.Options{LoadRestrictions: types.LoadRestrictionsNone, PluginConfig: types.DisabledPluginConfig()}).Run(tree, "/source/tree")
		if said := fmt.Sprint(reason.Of(err)); said != c.want || strings.Contains(said, value) {
			t.Errorf("%s: %s, want %s, of %v", c.name, said, c.want, err)
		}
	}
}

// TestParsers does the same with parsers.
func TestParsers(t *testing.T) {
	var fields struct {
		A map[string]string `json:"a"`
		N int               `json:"n"`
	}
	for text, want := range map[string]string{
		"a: {b: " + value + "}\na: {}\n":      "line 2: a key is there twice",
		"a: {b: " + value + "}\nb: [" + value: "line 2: did not find expected ',' or ']'",
		"a:\n  b: \"" + value + "\\q\"":       "line 2: found unknown escape character",
		"a:\n\tb: " + value:                   "line 2: found character that cannot start any token",
		"a: *" + value:                        "an alias of an anchor that is not there",
		"a: " + value:                         "field a: a text where a mapping is expected",
		"a: [" + value + "]":                  "field a: a list where a mapping is expected",
		"\"n\": " + value:                     "field n: a text where a number is expected",
		"- " + value:                          "a list where a mapping is expected",
		"x: " + value:                         "a field that is not known: x",
	} {
		err := sigs.UnmarshalStrict([]byte(text), &fields)
		if said := fmt.Sprint(reason.Of(err)); said != want {
			t.Errorf("%q: %s, want %s, of %v", text, said, want, err)
		}
	}
	var typed struct{ A []string }
	_, errTree := kyaml.MustParse("a: " + value).Pipe(kyaml.Lookup("a", "b"))
	_, errVariable := envsubst.Eval("${"+value, func(string) (string, bool) { return "", true })
	_, errTemplate := parse.Parse("x", "\n{{ "+value+" }}", "", "")
	for want, err := range map[string]error{
		"line 1: a text where a list is expected":                              yaml.Unmarshal([]byte("a: "+value), &typed),
		"a text where a mapping is expected":                                   errTree,
		"a ${...} that cannot be read":                                         errVariable,
		"line 2: a function of templates that is not known here: hunter2VALUE": errTemplate,
		"it is refused, in words that may quote a value":                       errors.New(value),
	} {
		if said := fmt.Sprint(reason.Of(err)); said != want {
			t.Errorf("%s, want %s, of %v", said, want, err)
		}
	}
}

// TestOwn passes on what this program said, and what callers ask for.
func TestOwn(t *testing.T) {
	own := reason.New("own words: %w", fs.ErrExist)
	if err := reason.Of(fmt.Errorf("%s: %w", value, own)); err.Error() != "own words: file already exists" || !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if err := reason.Of(&fs.PathError{Op: "open", Path: "a/b.yaml", Err: fs.ErrNotExist}); err.Error() != "file or folder not found: a/b.yaml" || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := reason.Of(context.Canceled); !errors.Is(err, context.Canceled) || reason.Of(nil) != nil {
		t.Error(err)
	}
	if read, err := reason.With(json.Marshal(1)); string(read) != "1" || err != nil {
		t.Error(err)
	}
}

// TestPanic tells what a program does wrong, and not what a library says of it.
func TestPanic(t *testing.T) {
	said := func(work func()) (err error) {
		defer func() { err = reason.Panic(recover()) }()
		work()
		return nil
	}
	var none []int
	for want, work := range map[string]func(){
		"panic with a string":                                                        func() { panic(value) },
		"panic with a *errors.errorString":                                           func() { panic(errors.New(value)) },
		"panic: runtime error: index out of range [3] with length 0":                 func() { none[len(value)-9]++ },
		"panic: interface conversion: interface {} is string, not map[string]string": func() { _ = any(value).(map[string]string) },
	} {
		if err := said(work); err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

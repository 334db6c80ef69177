package inventory

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestSameAsFlux builds the Flux Kustomizations of some repositories from
// memory, and with kustomize-controller's own generator on the disk.
func TestSameAsFlux(t *testing.T) {
	compared := 0
	for i, dir := range repositories(t) {
		if i%6 != 0 { // the others add time, not cases
			continue
		}
		for _, c := range open(t, os.DirFS(dir)).Discover() {
			compared += sameAsFlux(t, c.Inventory)
		}
	}
	t.Logf("%d Flux Kustomizations compared", compared)
	if compared == 0 {
		t.Error("none was compared")
	}
}

// TestFieldsSameAsFlux does so for each field that goes into the build.
func TestFieldsSameAsFlux(t *testing.T) {
	for spec := range specs {
		inv, _ := identities(t, specTree(), root(spec))
		if n := sameAsFlux(t, inv); n != 1 {
			t.Errorf("%s: not compared: %v %v", spec, inv.Opaque, inv.Problems)
		}
	}
}

// TestSchemasSameAsFlux does so where something depends on the schema of a CRD, which most builds leave out.
func TestSchemasSameAsFlux(t *testing.T) {
	const crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: as.example.com\nspec:\n" +
		"  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        description: words\n"
	for name, k := range map[string]string{
		"nothing":          "resources: [crd.yaml]\n",
		"a JSON patch":     "resources: [crd.yaml]\npatches:\n- target: {kind: CustomResourceDefinition}\n  patch: |\n    - {op: remove, path: /spec/versions/0/schema/openAPIV3Schema/description}\n",
		"a replacement":    "resources: [crd.yaml, a.yaml]\nreplacements:\n- source: {kind: CustomResourceDefinition, fieldPath: spec.versions.0.schema.openAPIV3Schema.description}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [metadata.name]\n",
		"the hash of data": "configMapGenerator:\n- {name: crds, files: [crd.yaml]}\n",
	} {
		inv, _ := identities(t, files("apps/kustomization.yaml", k, "apps/crd.yaml", crd, "apps/a.yaml", configMap("a")), root(""))
		if n := sameAsFlux(t, inv); n != 1 {
			t.Errorf("%s: not compared: %v %v", name, inv.Opaque, inv.Problems)
		}
	}
}

// sameAsFlux compares what can be built without anything opaque, and returns
// how many that are.
func sameAsFlux(t *testing.T, inv *Inventory) int {
	t.Helper()
	opaque := map[Name]bool{}
	for _, o := range inv.Opaque {
		opaque[o.Owner] = true
	}
	compared := 0
	r := &round{walk: inv.walk, inv: &Inventory{}}
	for _, o := range inv.Owners {
		tree := r.source(&o)
		if opaque[o.Name] || tree == nil {
			continue
		}
		fields, err := transformsOf(dig(o.object, "spec"))
		if err != nil {
			t.Fatal(err)
		}
		got := inv.walk.renderer.render(tree, o.Path, fields)
		want, err := fluxBuild(t, tree, o)
		if (err == nil) != (got.err == nil) {
			t.Errorf("%s: Flux says %v, we say %v", o.Name, err, got.err)
		} else if have := described(got.objects); err == nil && !slices.Equal(want, have) {
			t.Errorf("%s: Flux builds %v, we build %v", o.Name, want, have)
		}
		compared++
	}
	return compared
}

// fluxBuild is what kustomize-controller does with a tree on its disk.
func fluxBuild(t *testing.T, tree *snapshot, o Owner) ([]string, error) {
	t.Helper()
	root := t.TempDir()
	files := fstest.MapFS{}
	for name := range tree.files {
		files[name] = &fstest.MapFile{Data: tree.content(name), Mode: 0o644}
	}
	if err := os.CopyFS(root, files); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, o.Path)
	if _, err := kustomize.NewGenerator(root, unstructured.Unstructured{Object: o.object}).WriteFile(dir); err != nil {
		return nil, err
	}
	built, err := kustomize.SecureBuild(root, dir, false)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range built.Resources() {
		out = append(out, describe(newObject(r, nil)))
	}
	return out, nil
}

// described spells objects so that they can be compared.
func described(objects []*object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, describe(o))
	}
	return out
}

// describe is the identity and the metadata by which Flux decides.
func describe(o *object) string {
	return fmt.Sprint(o.ID, sorted(o.labels), sorted(o.annotations))
}

// sorted spells a map in order.
func sorted(m map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return out
}

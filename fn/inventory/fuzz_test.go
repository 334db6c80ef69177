package inventory

import (
	"testing"
	"testing/fstest"
)

// FuzzBuild follows a root into any kustomization.yaml and any manifest: it ends, twice with the same answer, and
// leaves the files alone.
func FuzzBuild(f *testing.F) {
	for _, seed := range [][2]string{
		{"resources: [a.yaml, ../b]\nnamePrefix: x-\npatches:\n- patch: '[{op: remove, path: /data}]'\n  target: {kind: ConfigMap}\n", configMap("a")},
		{"resources: [.]\ncomponents: [../apps]\n", "a: b\n"},
		{"configMapGenerator:\n- name: x\n  files: [a.yaml, y=../../z]\n  literals: [a=b]\nreplacements:\n- source: {kind: ConfigMap}\n  targets: [{select: {kind: X}, fieldPaths: [a.b]}]\n", "kind: List\nitems: [{}]\n"},
		{"apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nvars: [{name: A, objref: {kind: ConfigMap, name: a}}]\n", configMap("${a:=${b}}")},
		{"crds: [a.yaml]\nopenapi: {path: a.yaml}\nhelmCharts: [{name: x}]\ntransformers: ['{kind: x}']\n", "a: &a [*a]\n"},
		{"", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\nspec: {path: ./apps, sourceRef: {kind: GitRepository, name: home}, postBuild: {substitute: {a: '${a}'}}}\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, kustomization, manifest string) {
		tree := files("apps/a.yaml", manifest, "b/b.yaml", configMap("b"))
		if kustomization != "" {
			tree["apps/kustomization.yaml"] = &fstest.MapFile{Data: []byte(kustomization)}
		}
		before := open(t, tree)
		first := before.Build(root("  postBuild: {substitute: {a: b}}\n"))
		after, err := before.With(tree)
		if err != nil {
			t.Fatal(err)
		}
		second := after.Follow(first, root("  postBuild: {substitute: {a: b}}\n"))
		if first.List() != second.List() {
			t.Errorf("first\n%s\nthen\n%s", first.List(), second.List())
		}
		if verdict := Compare(first, second, CompareOptions{}); len(verdict.Of(Lost)) > 0 {
			t.Errorf("nothing changed, and is lost:\n%s", verdict.Text())
		}
	})
}

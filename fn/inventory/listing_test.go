package inventory

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"testing/fstest"
)

// sameAsKustomize checks that kustomize builds what is listed, and tells whether it is listed.
func sameAsKustomize(t *testing.T, tree *snapshot, dir string) bool {
	t.Helper()
	listed, sure := newView(tree).list(dir, transforms{})
	if !sure {
		return false
	}
	v := newView(tree)
	if err := v.generate(dir, transforms{}); err != nil {
		t.Fatal(err)
	}
	res, err := v.kustomize(dir)
	if err != nil {
		t.Fatalf("%s: listed %v, and kustomize says %v", dir, described(listed), err)
	}
	var built []*object
	for _, r := range res.Resources() {
		built = append(built, newObject(r, nil))
	}
	if have, want := described(listed), described(built); !slices.Equal(have, want) {
		t.Fatalf("%s: listed\n%v\nkustomize builds\n%v", dir, have, want)
	}
	again := newView(tree)
	again.origins = true
	for i, file := range again.originsOf(dir, transforms{}) {
		have, want := listed[i], built[i]
		if have.file.String() != file {
			t.Fatalf("%s: %s is from %s, not from %s", dir, have.ID, file, have.file)
		}
		if haveContent, wantContent := contentOf(t, have), contentOf(t, want); !bytes.Equal(haveContent, wantContent) && matters(have) {
			t.Fatalf("%s: %s is listed as\n%s\nkustomize builds\n%s", dir, have.ID, haveContent, wantContent)
		}
		if want.dollar && !have.dollar {
			t.Fatalf("%s: %s: a $ is not seen", dir, have.ID)
		}
		haveText, _ := have.text()
		if wantText, err := want.text(); haveText != wantText && matters(have) {
			t.Fatalf("%s: %s is listed as\n%s\nkustomize builds\n%s%v", dir, have.ID, haveText, wantText, err)
		}
	}
	return true
}

// contentOf is the content of an object as JSON, or the words that say why there is none.
func contentOf(t *testing.T, o *object) []byte {
	t.Helper()
	content, err := o.content()
	if err != nil {
		return []byte(err.Error())
	}
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestListing lists what the Flux Kustomizations of the corpus apply.
func TestListing(t *testing.T) {
	all, listed := 0, 0
	for i, dir := range repositories(t) {
		if i%6 != 1 { // the others add time, not cases
			continue
		}
		for _, c := range open(t, os.DirFS(dir)).Discover() {
			r := &round{walk: c.Inventory.walk, inv: &Inventory{}}
			for _, o := range c.Inventory.Owners {
				if tree := r.source(&o); tree != nil && tree.isDir(o.Path) {
					all++
					if sameAsKustomize(t, tree, o.Path) {
						listed++
					}
				}
			}
		}
	}
	t.Logf("%d of %d Flux Kustomizations list files", listed, all)
	if listed == 0 {
		t.Error("none of them")
	}
}

// FuzzListing lists any kustomization.yaml and any manifest, as kustomize builds them.
func FuzzListing(f *testing.F) {
	for _, seed := range [][2]string{
		{"", configMap("a")},
		{"resources: [a.yaml, ../b]\n", configMap("a")},
		{"resources:\n- ./a.yaml\n- ../b/b.yaml\n", configMap("a") + "---\n" + configMap("c")},
		{"resources:\n- ../b\n", "---foo: bar\n"},
		{"resources: [.]\n", "a: b\n"},
		{"kind: Component\nresources: [a.yaml]\n", configMap("b")},
		{"", "apiVersion: v1\nkind: List\nitems: []\n"},
		{"", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\ndata:\n  n: 1\n"},
		{"", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/path: a\n    internal.config.kubernetes.io/index: '0'\n"},
		{"", "%"}, {"", "#\xf4  "}, {"", " ---"}, {"", "apiVersion: v1\nkind: a\nkind: ConfigMap\nmetadata: {name: a}\n"},
		{"", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations: {}\n  labels: {}\ndata: {}\n"},
		{"", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n  labels:\n"},
		{"", "apiVersion: 1\nkind: ConfigMap\nmetadata: {name: a, namespace: }\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, kustomization, manifest string) {
		tree := files("apps/a.yaml", manifest, "b/kustomization.yaml", "resources:\n- b.yaml\n", "b/b.yaml", configMap("b"))
		if kustomization != "" {
			tree["apps/kustomization.yaml"] = &fstest.MapFile{Data: []byte(kustomization)}
		}
		sameAsKustomize(t, open(t, tree).snapshot, "apps")
	})
}

// TestListingOfItems lists the items that kustomize gives to a function, which it has built already: they carry what it
// finds them by again, and building a thousand of them once more takes seconds.
func TestListingOfItems(t *testing.T) {
	const item = `apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    config.k8s.io/id: '1'
    config.kubernetes.io/index: '0'
    internal.config.kubernetes.io/annotations-migration-resource-id: '1'
    internal.config.kubernetes.io/id: '1'
    internal.config.kubernetes.io/index: '0'
    kustomize.config.k8s.io/id: '1'
`
	for name, text := range map[string]string{"plain": item, "parsed": item + "data:\n  a: &x b\n  c: *x\n"} {
		files, err := load(fstest.MapFS{"items.yaml": {Data: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		objects, sure := newView(files).list(".", transforms{})
		if !sure || len(objects) != 1 || len(objects[0].annotations) != 0 {
			t.Errorf("%s: listed: %t, %v", name, sure, described(objects))
		}
	}
}

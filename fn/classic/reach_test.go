package classic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// TestReaching holds that no Flux Kustomization which applies a file is left out, and that they come in their order, on
// random trees.
func TestReaching(t *testing.T) {
	for seed := range uint64(50) {
		set := randomTree(rand.New(rand.NewPCG(seed, 0)))
		all := set.Of(KustomizeGroup, "Kustomization")
		for _, o := range set.Input() {
			found := reaching(set, o.File)
			if !slices.IsSortedFunc(found, object.Compare) {
				t.Fatalf("seed %d: not in their order", seed)
			}
			for _, k := range all {
				dir, leads := pathFor(k, o.File)
				applies := leads && Applies(set, dir, o.File) || Applies(set, syncPath(k), o.File)
				if applies && !slices.Contains(found, k) {
					t.Errorf("seed %d: %s with the path %q applies %s", seed, k.File, k.Str("spec", "path"), o.File)
				}
			}
		}
	}
}

// TestAppliesAsBuilt holds what a path leads to against what the build of that path applies, where it builds, on random
// trees.
func TestAppliesAsBuilt(t *testing.T) {
	held := 0
	for seed := range uint64(60) {
		set := randomTree(rand.New(rand.NewPCG(seed, 1)))
		files, err := FilesOf(set)
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			root := map[string]any{"metadata": map[string]any{"name": "root"}}
			inv := files.Build(inventory.Root{Kustomization: root}.At("./" + dir))
			if inv.Owners[0].Broken != "" {
				continue
			}
			for _, o := range set.Input() {
				if o.Group() == ConfigGroup {
					continue
				}
				held++
				built := slices.ContainsFunc(inv.Entries, func(e inventory.Entry) bool {
					return e.Owner.Name == "root" && e.Kind == o.Kind && e.ID.Name == o.Name
				})
				if applies := Applies(set, CleanPath(dir), o.File); applies != built {
					t.Errorf("seed %d: ./%s applies %s: %v by its path, %v by its build", seed, dir, o.File, applies, built)
				}
			}
		}
	}
	if held < 3000 {
		t.Errorf("only %d answers were held against a build", held)
	}
}

// dirs are the folders of a random tree.
var dirs = []string{"", "a/", "b/", "a/b/", "a/b/c/", "a/bc/", "d/e/"}

// randomTree is a few folders with Flux Kustomizations, files that kustomization.yaml files list, and paths that lead
// anywhere.
func randomTree(r *rand.Rand) *object.Set {
	dir := func() string { return dirs[r.IntN(len(dirs))] }
	var objects []*object.Object
	add := func(file, text string) {
		if slices.ContainsFunc(objects, func(o *object.Object) bool { return o.File == file }) {
			return
		}
		o, err := object.Parse(text, file, 0)
		if err != nil {
			panic(err)
		}
		objects = append(objects, o)
	}
	for n := range 8 {
		path := []string{"./", "", "./missing", "./" + dir(), "./" + dir(), "/" + dir(), "./${x}/b",
			"./a/../" + dir()}[r.IntN(8)]
		add(fmt.Sprintf("%sks%d.yaml", dir(), n), fmt.Sprintf("apiVersion: kustomize.toolkit.fluxcd.io/v1\n"+
			"kind: Kustomization\nmetadata: {name: k%d}\nspec: {path: %q}\n", n, path))
		add(fmt.Sprintf("%sfile%d.yaml", dir(), n),
			fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x%d}\n", n))
	}
	for range r.IntN(5) {
		from, to := dir(), objects[r.IntN(len(objects))].File
		up := ""
		for range strings.Count(from, "/") {
			up += "../"
		}
		add(from+"kustomization.yaml", fmt.Sprintf("apiVersion: kustomize.config.k8s.io/v1beta1\n"+
			"kind: Kustomization\nresources: [%s%s, %s%s]\n", up, to, up, dir()))
	}
	return object.NewSet(objects)
}

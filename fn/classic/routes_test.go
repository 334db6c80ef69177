package classic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"migrate-to-flux-operator/fn/object"
)

// TestRoutes holds that no Flux Kustomization which applies a file is left out, and that they come in their order, on
// random trees.
func TestRoutes(t *testing.T) {
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
			beside := slices.DeleteFunc(slices.Clone(all), func(k *object.Object) bool { return !besideIn(k.File, o.File) })
			ks := kustomizationsOf(set)
			if have := ks.of(ks.beside(o.File)); !slices.Equal(have, beside) {
				t.Errorf("seed %d: beside %s are %d, not %d", seed, o.File, len(beside), len(have))
			}
		}
	}
}

// besideIn reports whether two files are in one folder.
func besideIn(a, b string) bool { return folderOf(a) == folderOf(b) }

// randomTree is a few folders with Flux Kustomizations, files that kustomization.yaml files list, and paths that lead
// anywhere.
func randomTree(r *rand.Rand) *object.Set {
	dirs := []string{"", "a/", "b/", "a/b/", "a/b/c/", "a/bc/", "d/e/"}
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
		path := []string{"./", "", "./missing", "./" + dir(), "./" + dir(), "/" + dir(), "./${x}/b", "./a/../" + dir()}[r.IntN(8)]
		add(fmt.Sprintf("%sks%d.yaml", dir(), n), fmt.Sprintf("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: k%d}\nspec: {path: %q}\n", n, path))
		add(fmt.Sprintf("%sfile%d.yaml", dir(), n), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
	}
	for range r.IntN(5) {
		from, to := dir(), objects[r.IntN(len(objects))].File
		up := ""
		for range countSlashes(from) {
			up += "../"
		}
		add(from+"kustomization.yaml", fmt.Sprintf("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [%s%s, %s%s]\n", up, to, up, dir()))
	}
	return object.NewSet(objects)
}

func countSlashes(path string) (n int) {
	for _, c := range path {
		if c == '/' {
			n++
		}
	}
	return n
}

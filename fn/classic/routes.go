package classic

import (
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/object"
)

// routes find, among things that have a path and a file, those that can apply a file: of thousands in a large input it
// is a few, because a path applies what is below it, and seldom more. Numbers stand for the things, in their order.
type routes struct {
	byPath, byFolder map[string][]int
	// astray are those whose path can lead to files that are not below it.
	astray []int
}

// add files a thing with a clean path that is defined in a file.
func (r *routes) add(set *object.Set, n int, dir, file string) {
	if r.byPath == nil {
		r.byPath, r.byFolder = map[string][]int{}, map[string][]int{}
	}
	r.byPath[dir] = append(r.byPath[dir], n)
	folder := folderOf(file)
	r.byFolder[folder] = append(r.byFolder[folder], n)
	if strings.Contains(dir, "${") || leadsAstray(set, dir) {
		r.astray = append(r.astray, n)
	}
}

// to are those that can apply a file: each that does, with a path as Applies or pathFor take it, and few others.
func (r *routes) to(file string) []int {
	all := append(slices.Clone(r.astray), r.byPath["."]...)
	for end := len(file); end > 0; end = strings.LastIndexByte(file[:end], '/') {
		all = append(all, r.byPath[file[:end]]...)
	}
	return inOrder(all)
}

// beside are those that are defined in the folder of a file.
func (r *routes) beside(file string) []int { return r.byFolder[folderOf(file)] }

// within are those whose path is a part of a folder, from any folder in it on.
func (r *routes) within(folder string) []int {
	var all []int
	segments := strings.Split(folder, "/")
	for from := range segments {
		for to := from + 1; to <= len(segments); to++ {
			all = append(all, r.byPath[strings.Join(segments[from:to], "/")]...)
		}
	}
	return inOrder(all)
}

// inOrder is a list without what is in it twice, sorted.
func inOrder(all []int) []int {
	slices.Sort(all)
	return slices.Compact(all)
}

// folderOf is the folder of a file, with the slash at its end.
func folderOf(file string) string { return file[:strings.LastIndexByte(file, '/')+1] }

// leadsAstray reports whether a path can lead to files that are not below it: Applies knows all others without the way.
func leadsAstray(set *object.Set, dir string) bool {
	return KustomizationIn(set, dir) != nil || len(outside(set, dir)) > 0
}

// kustomizations are the Flux Kustomizations of the input, and the ways that lead from them.
type kustomizations struct {
	routes
	all []*object.Object
}

func kustomizationsOf(set *object.Set) *kustomizations {
	type key struct{}
	return object.Until(set, key{}, func(set *object.Set) *kustomizations {
		ks := &kustomizations{all: set.Of(KustomizeGroup, "Kustomization")}
		for n, k := range ks.all {
			ks.add(set, n, syncPath(k), k.File)
		}
		return ks
	})
}

// of are the Flux Kustomizations with some numbers.
func (ks *kustomizations) of(numbers []int) []*object.Object {
	list := make([]*object.Object, len(numbers))
	for i, n := range numbers {
		list[i] = ks.all[n]
	}
	return list
}

// reaching are the Flux Kustomizations that can apply a file, in their order.
func reaching(set *object.Set, file string) []*object.Object {
	ks := kustomizationsOf(set)
	return ks.of(ks.to(file))
}

// pairs are the pairs that the Flux Kustomizations of the input make, and the ways that lead from them.
type pairs struct {
	routes
	all []Pair
}

func pairsIn(set *object.Set) *pairs {
	type key struct{}
	return object.Until(set, key{}, func(set *object.Set) *pairs {
		ps := &pairs{}
		for _, root := range set.Of(KustomizeGroup, "Kustomization") {
			source := SourceOf(set, root)
			if source == nil || isManifestSource(source) || isOurs(set, root) {
				continue
			}
			for _, pair := range pairsOf(set, root, source) {
				ps.add(set, len(ps.all), pair.Path, root.File)
				ps.all = append(ps.all, pair)
			}
		}
		return ps
	})
}

// around are the pairs that can apply an object, and those that are defined beside it, in their order; all where items
// carry no paths.
func (ps *pairs) around(set *object.Set, anchor *object.Object) []Pair {
	if !set.HasPaths() {
		return ps.all
	}
	var list []Pair
	for _, n := range inOrder(append(ps.to(anchor.File), ps.beside(anchor.File)...)) {
		list = append(list, ps.all[n])
	}
	return list
}

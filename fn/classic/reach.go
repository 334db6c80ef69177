package classic

import (
	"path"
	"slices"

	"migrate-to-flux-operator/fn/object"
)

// EntryFields are the lists of a kustomization.yaml that name files and folders whose objects it applies.
// Source: kustomize.config.k8s.io/v1beta1 of kustomize v5.8.
var EntryFields = []string{"resources", "bases", "components", "crds"}

// Applies reports whether a Flux Kustomization whose path is dir applies what is in a file. Without a
// kustomization.yaml, kustomize-controller takes every file below, but of a folder that has one only what that lists.
// Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func Applies(set *object.Set, dir, file string) bool {
	if !object.Within(file, dir) && KustomizationIn(set, dir) == nil && !outside(set, dir)[file] {
		return false // as of most paths, and known without the way
	}
	_, applied := chain(set, dir, file, map[string]bool{})
	return applied
}

// nested reports whether a folder between the two has a kustomization.yaml as well, which then decides.
func nested(set *object.Set, folder, dir string) bool {
	for above := path.Dir(folder); above != dir && above != "."; above = path.Dir(above) {
		if KustomizationIn(set, above) != nil {
			return true
		}
	}
	return false
}

// chainOut is the chain to a file outside of a folder without kustomization.yaml, by the folders below that have one.
func chainOut(set *object.Set, dir, file string, seen map[string]bool) ([]string, bool) {
	if !outside(set, dir)[file] {
		return nil, false
	}
	for _, top := range topFolders(set, dir) {
		if dirs, applied := chain(set, top, file, seen); applied {
			return dirs, true
		}
	}
	return nil, false
}

// outside are the files outside of a folder that the kustomization.yaml files below it lead to; none are outside of the
// root of the input. The migration takes from these ways, and adds none.
func outside(set *object.Set, dir string) map[string]bool {
	if dir == "." {
		return nil
	}
	type key struct{}
	known := object.Once(set, key{}, func(*object.Set) map[string]map[string]bool { return map[string]map[string]bool{} })
	found, met := known[dir]
	if !met {
		found = leadingOut(set, dir)
		known[dir] = found
	}
	return found
}

func leadingOut(set *object.Set, dir string) map[string]bool {
	found, open, seen := map[string]bool{}, topFolders(set, dir), map[string]bool{}
	for len(open) > 0 {
		at := open[0]
		open = open[1:]
		k := KustomizationIn(set, at)
		if k == nil || seen[at] {
			continue
		}
		seen[at] = true
		for _, file := range append(entriesOf(k, EntryFields...), k.File) {
			if !object.Within(path.Dir(file), dir) {
				found[file] = true
			}
			open = append(open, file)
		}
	}
	return found
}

// topFolders are the folders below one without kustomization.yaml that have one, and from which kustomize-controller
// takes what that lists, sorted.
func topFolders(set *object.Set, dir string) []string {
	var top []string
	all := kustomized(set)
	if dir != "." { // those below it stand together
		from, _ := slices.BinarySearch(all, dir+"/")
		to, _ := slices.BinarySearch(all, dir+"0") // 0 is what follows the slash
		all = all[from:to]
	}
	for _, at := range all {
		if at != dir && KustomizationIn(set, at) != nil && !nested(set, at, dir) {
			top = append(top, at)
		}
	}
	return top
}

// kustomized are the folders of the input that have a kustomization.yaml, sorted. Those that the migration adds lead
// nowhere else.
func kustomized(set *object.Set) []string {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) []string {
		var all []string
		for _, o := range set.Input() {
			if slices.Contains(KustomizationFiles, path.Base(o.File)) {
				all = append(all, path.Dir(o.File))
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	})
}

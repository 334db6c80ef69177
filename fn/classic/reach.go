package classic

import (
	"iter"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/object"
)

// EntryFields are the lists of a kustomization.yaml that name files and folders whose objects it applies.
// Source: kustomize.config.k8s.io/v1beta1 of kustomize v5.8.
var EntryFields = []string{"resources", "bases", "components", "crds"}

// Applies reports whether a Flux Kustomization whose path is dir applies what is in a file. Without a
// kustomization.yaml, kustomize-controller takes every file below, but of a folder that has one only what that lists.
// Source: fluxcd/pkg/kustomize v1.39.0, the walk of the generator.
func Applies(set *object.Set, dir, file string) bool {
	_, applied := waysFrom(set, dir).to(set, file)
	return applied
}

// ways are where the path of a Flux Kustomization leads: to the files that kustomization.yaml files list, and to all in
// the folders without one. Each has the folders whose kustomization.yaml leads there, the nearest first.
type ways struct {
	listed, open map[string][]string
}

// waysFrom are the ways that lead from a folder.
func waysFrom(set *object.Set, dir string) ways {
	type key struct{}
	known := object.Until(set, key{}, func(*object.Set) map[string]ways { return map[string]ways{} })
	w, met := known[dir]
	if !met {
		w = ways{listed: map[string][]string{}, open: map[string][]string{}}
		w.follow(set, dir, nil, map[string]bool{})
		known[dir] = w
	}
	return w
}

// follow goes on from a folder that others lead to.
func (w ways) follow(set *object.Set, dir string, through []string, seen map[string]bool) {
	if seen[dir] {
		return
	}
	seen[dir] = true
	k := KustomizationIn(set, dir)
	if k == nil {
		w.open[dir] = through
		for _, top := range topFolders(set, dir) {
			w.follow(set, top, through, seen)
		}
		return
	}
	through = append([]string{dir}, through...)
	w.listed[k.File] = through
	for _, entry := range entriesOf(k, EntryFields...) {
		if _, met := w.listed[entry]; !met {
			w.listed[entry] = through
		}
		if len(set.InFile(entry)) == 0 {
			w.follow(set, entry, through, seen)
		}
	}
}

// to are the folders whose kustomization.yaml leads to a file; false where none of the ways does.
func (w ways) to(set *object.Set, file string) (through []string, leads bool) {
	if through, leads = w.listed[file]; leads {
		return through, true
	}
	for at := range openAround(set, file) {
		if through, leads = w.open[at]; leads {
			return through, true
		}
	}
	return nil, false
}

// openAround are the folders that a file is in, up to the first that has a kustomization.yaml.
func openAround(set *object.Set, file string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for at := path.Dir(file); KustomizationIn(set, at) == nil && yield(at) && at != "."; at = path.Dir(at) {
		}
	}
}

// topFolders are the folders below one without kustomization.yaml that have one, and from which kustomize-controller
// takes what that lists.
func topFolders(set *object.Set, dir string) []string {
	below := kustomized(set)
	if dir != "." { // those below it stand together
		from, _ := slices.BinarySearch(below, dir+"/")
		to, _ := slices.BinarySearch(below, dir+"0") // 0 is what follows the slash
		below = below[from:to]
	}
	return slices.DeleteFunc(append(slices.Clone(below), foldersOf(set.Added())...), func(at string) bool {
		return KustomizationIn(set, at) == nil || !object.Within(at, dir) || !isOpen(set, path.Dir(at), dir)
	})
}

// isOpen reports whether no folder from one up to another has a kustomization.yaml.
func isOpen(set *object.Set, folder, dir string) bool {
	for at := range openAround(set, folder+"/") {
		if at == dir {
			return true
		}
	}
	return false
}

// kustomized are the folders of the input that have a kustomization.yaml, sorted.
func kustomized(set *object.Set) []string {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) []string {
		all := foldersOf(set.Input())
		slices.Sort(all)
		return slices.Compact(all)
	})
}

// foldersOf are the folders of the kustomization.yaml files among objects.
func foldersOf(objects []*object.Object) []string {
	var all []string
	for _, o := range objects {
		if slices.Contains(KustomizationFiles, path.Base(o.File)) {
			all = append(all, path.Dir(o.File))
		}
	}
	return all
}

// reaching are the Flux Kustomizations that can apply a file, in their order: those whose path leads to it, and those
// of whose path a variable decides.
func reaching(set *object.Set, file string) []*object.Object {
	all := leadingTo(set)
	found := slices.Concat(all.vague, all.listed[file])
	for at := range openAround(set, file) {
		found = append(found, all.open[at]...)
	}
	slices.SortFunc(found, object.Compare)
	return slices.Compact(found)
}

// leading are the Flux Kustomizations of the input by the files, and the folders without kustomization.yaml, that their
// paths lead to.
type leading struct {
	listed, open map[string][]*object.Object
	vague        []*object.Object
}

func leadingTo(set *object.Set) leading {
	type key struct{}
	return object.Until(set, key{}, func(set *object.Set) leading {
		all := leading{listed: map[string][]*object.Object{}, open: map[string][]*object.Object{}}
		for _, k := range set.Of(KustomizeGroup, "Kustomization") {
			if strings.Contains(k.Str("spec", "path"), "${") {
				all.vague = append(all.vague, k)
			}
			w := waysFrom(set, syncPath(k))
			for file := range w.listed {
				all.listed[file] = append(all.listed[file], k)
			}
			for dir := range w.open {
				all.open[dir] = append(all.open[dir], k)
			}
		}
		return all
	})
}

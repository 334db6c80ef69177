package classic

import (
	"maps"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/object"
)

// tops are the definitions that roots apply themselves: from an object to each Flux Kustomization that applies it, to
// those that apply that one's definition, and so on, until nothing applies the next but itself. There are several where
// clusters that share what they apply have a child of their own for it; where nothing applies the object it is the
// object.
func tops(set *object.Set, anchor *object.Object) []*object.Object {
	var all []*object.Object
	met := map[*object.Object]bool{anchor: true}
	for open := []*object.Object{anchor}; len(open) > 0; open = open[1:] {
		for _, above := range appliersFrom(set, open[0], mainRepository(set)) {
			switch {
			case met[above]:
			case applier(set, above) != nil:
				met[above] = true
				open = append(open, above)
			case !slices.Contains(all, open[0]):
				all = append(all, open[0])
			}
		}
	}
	if len(all) == 0 {
		return []*object.Object{anchor}
	}
	return all
}

// applier is the Flux Kustomization of this repository that applies an object: of several the one with the longest
// path, because one further up reaches the object through it. It is nil where there is none but the object itself.
func applier(set *object.Set, o *object.Object) *object.Object {
	return Nearest(appliersFrom(set, o, mainRepository(set)), o)
}

// appliersFrom are the appliers among the Flux Kustomizations that sync from the repository with an address: several
// where clusters share what they apply.
func appliersFrom(set *object.Set, o *object.Object, repository string) []*object.Object {
	if o.File == "" {
		return nil
	}
	var nearest []*object.Object
	longest := -1
	for _, k := range reaching(set, o.File) {
		if k == o || isForeign(set, k, repository) {
			continue
		}
		dir, found := pathFor(k, o.File)
		if !found || !Applies(set, dir, o.File) {
			continue
		}
		if len(dir) > longest {
			nearest, longest = nil, len(dir)
		}
		if len(dir) == longest {
			nearest = append(nearest, k)
		}
	}
	// A path that begins with a variable may lead here or to the same folder of another cluster: it is taken to lead to
	// the nearest.
	vague := func(k *object.Object) bool { return strings.Contains(k.Str("spec", "path"), "${") }
	if likely := Nearest(nearest, o); slices.ContainsFunc(nearest, vague) {
		nearest = slices.DeleteFunc(nearest, func(k *object.Object) bool { return vague(k) && k != likely })
	}
	slices.SortFunc(nearest, object.Compare)
	return nearest
}

// pathFor is the path of a Flux Kustomization, clean; one that begins with a ${variable} is taken to lead to any folder
// that ends as it does, and so to the one around the file.
func pathFor(k *object.Object, file string) (dir string, found bool) {
	text := k.Str("spec", "path")
	if text == "" {
		return "", false
	}
	if !strings.Contains(text, "${") {
		return syncPath(k), true
	}
	end := CleanPath(text[strings.LastIndex(text, "}")+1:])
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if end != "." && strings.HasSuffix("/"+dir, "/"+end) {
			return dir, true
		}
	}
	return "", false
}

// repositories are the addresses that the Flux Kustomizations of the input sync from, "" where the source is not in it.
func repositories(set *object.Set) map[*object.Object]string {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) map[*object.Object]string {
		all := map[*object.Object]string{}
		for _, k := range set.Of(KustomizeGroup, "Kustomization") {
			if source := SourceOf(set, k); source != nil {
				all[k] = source.Str("spec", "url")
			}
		}
		return all
	})
}

// mainRepository is the address that most Flux Kustomizations sync from, but for that of Flux's manifests: this
// repository.
func mainRepository(set *object.Set) string {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) string {
		users := map[string]int{}
		for _, k := range set.Of(KustomizeGroup, "Kustomization") {
			if source := SourceOf(set, k); source != nil && !isManifestSource(source) && !isFlux2(source) {
				users[source.Str("spec", "url")]++
			}
		}
		most := ""
		for _, url := range slices.Sorted(maps.Keys(users)) {
			if users[url] > users[most] {
				most = url
			}
		}
		return most
	})
}

// isForeign tells a Flux Kustomization of another repository, whose path means nothing here. One whose source is not in
// the input may be of this one.
func isForeign(set *object.Set, k *object.Object, repository string) bool {
	url, known := repositories(set)[k]
	return known && url != repository
}

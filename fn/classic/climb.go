package classic

import (
	"maps"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/object"
)

// climb leads from an object to the definition that the root applies itself: from the object to the Flux Kustomization that
// applies it, to the one that applies that one's definition, and so on, until nothing applies the next but itself. Where
// nothing applies the object it is the object.
func climb(set *object.Set, anchor *object.Object) *object.Object {
	below := anchor
	seen := map[*object.Object]bool{anchor: true}
	for above := applier(set, anchor); above != nil && !seen[above]; {
		seen[above] = true
		next := applier(set, above)
		if next == nil || seen[next] {
			break
		}
		below, above = above, next
	}
	return below
}

// applier is the Flux Kustomization of this repository that applies an object: of several the one with the longest path,
// because one further up reaches the object through it. It is nil where there is none but the object itself.
func applier(set *object.Set, o *object.Object) *object.Object {
	return applierFrom(set, o, mainRepository(set))
}

// applierFrom is the applier among the Flux Kustomizations that sync from the repository with an address.
func applierFrom(set *object.Set, o *object.Object, repository string) *object.Object {
	if o.File == "" {
		return nil
	}
	var nearest []*object.Object
	longest := -1
	for _, k := range set.Of(KustomizeGroup, "Kustomization") {
		dir, found := pathFor(k, o.File)
		if k == o || !found || isForeign(set, k, repository) || !Applies(set, dir, o.File) {
			continue
		}
		if len(dir) > longest {
			nearest, longest = nil, len(dir)
		}
		if len(dir) == longest {
			nearest = append(nearest, k)
		}
	}
	return Nearest(nearest, o)
}

// pathFor is the path of a Flux Kustomization, clean; one that begins with a ${variable} is taken to lead to any folder that
// ends as it does, and so to the one around the file.
func pathFor(k *object.Object, file string) (dir string, found bool) {
	text := k.Str("spec", "path")
	if text == "" {
		return "", false
	}
	if !strings.Contains(text, "${") {
		return CleanPath(text), true
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

// mainRepository is the address that most Flux Kustomizations sync from, but for that of Flux's manifests: this repository.
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

// isForeign tells a Flux Kustomization of another repository, whose path means nothing here. One whose source is not in the
// input may be of this one.
func isForeign(set *object.Set, k *object.Object, repository string) bool {
	url, known := repositories(set)[k]
	return known && url != repository
}

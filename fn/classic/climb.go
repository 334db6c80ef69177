package classic

import (
	"maps"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/object"
)

// climb leads from an object to the definition that the root applies itself: from the object to the Flux Kustomization
// that applies it, to the one that applies that one's definition, and so on, until nothing applies the next but itself.
// Where nothing applies the object it is the object; of several ways it takes the nearest.
func climb(set *object.Set, anchor *object.Object) *object.Object {
	return Nearest(tops(set, anchor), anchor)
}

// tops are what climb leads to on every way: clusters that share what they apply can each have a child of its own for
// it.
func tops(set *object.Set, anchor *object.Object) []*object.Object {
	if all := (climber{set: set, tops: map[*object.Object][]*object.Object{}}).from(anchor); len(all) > 0 {
		return all
	}
	return []*object.Object{anchor}
}

// climber keeps the tops of what it has met: none of what nothing applies, nor of what it is on the way from, so that
// circles end.
type climber struct {
	set  *object.Set
	tops map[*object.Object][]*object.Object
}

func (c climber) from(o *object.Object) []*object.Object {
	if found, met := c.tops[o]; met {
		return found
	}
	c.tops[o] = nil
	var all []*object.Object
	for _, above := range appliersFrom(c.set, o, mainRepository(c.set)) {
		found := c.from(above)
		if len(found) == 0 { // it is a root, and the object what that applies itself
			found = []*object.Object{o}
		}
		for _, top := range found {
			if !slices.Contains(all, top) {
				all = append(all, top)
			}
		}
	}
	c.tops[o] = all
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

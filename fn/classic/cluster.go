package classic

import (
	"slices"

	"migrate-to-flux-operator/fn/object"
)

// SameCluster tells whether the root of an install applies an object, directly or through Flux Kustomizations that it
// applies.
func SameCluster(set *object.Set, o *object.Object, install *Install) bool {
	return reaches(set, install.Pair, o.File, map[string]bool{})
}

// Foreign tells an object that another cluster of the input applies, and the cluster of the install does not.
func (i *Install) Foreign(set *object.Set, o *object.Object) bool {
	return len(i.Others) > 0 && !SameCluster(set, o, i) &&
		slices.ContainsFunc(i.Others, func(other *Install) bool { return SameCluster(set, o, other) })
}

// reaches climbs, within the source of the pair, from a file to the Flux Kustomizations that apply it, until it is the root's.
func reaches(set *object.Set, pair Pair, file string, seen map[string]bool) bool {
	if seen[file] {
		return false
	}
	seen[file] = true
	ways := reaching(set, file)
	if !set.Removed(pair.Root) && !slices.Contains(ways, pair.Root) { // its path may be another one than it has in its file
		ways = append(ways, pair.Root)
	}
	for _, k := range ways {
		at := syncPath(k)
		if k == pair.Root {
			at = pair.Path
		}
		if k != pair.Root && k.Str("spec", "path") == "" || !pair.syncs(set, k) || !Applies(set, at, file) {
			continue
		}
		if k == pair.Root || reaches(set, pair, k.File, seen) {
			return true
		}
	}
	return false
}

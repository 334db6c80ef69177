package classic

import (
	"slices"

	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// pairsOf are the pairs that a root makes: one for each cluster where a patch gives it its path, as overlays do with a
// root that their clusters share, and the one whose path stands in its file, unless that is no more than their base, as
// one without a path is.
func pairsOf(set *object.Set, root, source *object.Object) []Pair {
	type key struct{ root *object.Object }
	return object.Once(set, key{root}, func(set *object.Set) []Pair {
		written := Pair{Source: source, Root: root, Path: syncPath(root)}
		var pairs []Pair
		isBase := isTemplate(root)
		base := KustomizationIn(set, written.Path)
		found := surveyOf(set)
		for _, c := range found.clusters {
			if at, found := pathAsRoot(root, c.Inventory); found && at != written.Path {
				pairs = append(pairs, Pair{Source: source, Root: root, Path: at})
				isBase = isBase || base != nil && c.Inventory.Reads(base.File)
			}
		}
		for _, dir := range found.unbuilt {
			if pair := (Pair{Source: source, Root: root, Path: dir}); dir != written.Path && pair.setsPath(set) {
				pairs = append(pairs, pair)
				isBase = isBase || base != nil && Applies(set, dir, base.File)
			}
		}
		if pathless := root.Str("spec", "path") == ""; !isBase && (!pathless || len(pairs) == 0) {
			pairs = append(pairs, written)
		}
		return pairs
	})
}

// setsPath reports whether the folder of a pair's path gives the root that path, which no build tells.
func (p Pair) setsPath(set *object.Set) bool {
	if !Applies(set, p.Path, p.Root.File) {
		return false
	}
	live, err := p.OnCluster(set, p.Root)
	return err == nil && live != p.Root && CleanPath(live.Str("spec", "path")) == p.Path
}

// survey is where the files of the input show clusters that sync themselves, and where they may.
type survey struct {
	clusters []inventory.Cluster
	unbuilt  []string
}

// surveyOf looks through the files of the input once; it finds nothing where they cannot be read.
func surveyOf(set *object.Set) survey {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) survey {
		files, err := FilesOf(set)
		if err != nil {
			return survey{}
		}
		clusters, unbuilt := files.Survey()
		return survey{clusters, unbuilt}
	})
}

// pathAsRoot is the path that a Flux Kustomization has as the root of an inventory, whatever patches make of it; false
// where it is no root of it.
func pathAsRoot(root *object.Object, inv *inventory.Inventory) (at string, found bool) {
	n := slices.IndexFunc(inv.Owners, func(o inventory.Owner) bool { return o.Root && o.Name.Name == root.Name })
	if n < 0 || !inv.Applied(KustomizeGroup, root.Kind, root.Name, root.File) {
		return "", false
	}
	return inv.Owners[n].Path, true
}

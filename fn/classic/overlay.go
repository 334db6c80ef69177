package classic

import (
	"slices"

	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// pairsOf are the pairs that a root makes: one for each cluster where a patch gives it its path, as overlays do with a
// root that their clusters share, and the one whose path stands in its file, unless that is no more than their base.
func pairsOf(set *object.Set, root, source *object.Object) []Pair {
	type key struct{ root *object.Object }
	return object.Once(set, key{root}, func(set *object.Set) []Pair {
		written := Pair{Source: source, Root: root, Path: syncPath(root)}
		var pairs []Pair
		isBase := isTemplate(root)
		base := KustomizationIn(set, written.Path)
		for _, c := range clustersIn(set) {
			if at, found := pathAsRoot(root, c.Inventory); found && at != written.Path {
				pairs = append(pairs, Pair{Source: source, Root: root, Path: at})
				isBase = isBase || base != nil && c.Inventory.Reads(base.File)
			}
		}
		if !isBase {
			pairs = append(pairs, written)
		}
		return pairs
	})
}

// clustersIn are the clusters of the input that sync themselves; none where its files cannot be read.
func clustersIn(set *object.Set) []inventory.Cluster {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) []inventory.Cluster {
		files, err := FilesOf(set)
		if err != nil {
			return nil
		}
		return files.Discover()
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

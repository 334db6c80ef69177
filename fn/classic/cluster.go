package classic

import (
	"slices"

	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// InventoryRoot is the root of the pair's cluster as the inventory starts from it. Items without paths are all that it
// applies; where the input is a part of the repository, the root applies that part.
func (p Pair) InventoryRoot(set *object.Set) inventory.Root {
	root := inventory.Root{Kustomization: p.LiveRoot.Map(), Source: p.LiveSource.Map()}
	switch {
	case !set.HasPaths():
		return root.At(".")
	case p.Prefix != "":
		return root.At(p.Dir())
	}
	return root
}

// Inventory is what Flux applies on the pair's cluster, as the input has it.
//
// It fails where the files of the input cannot be read.
func (p Pair) Inventory(set *object.Set) (*inventory.Inventory, error) {
	type built struct {
		inventory *inventory.Inventory
		err       error
	}
	type key struct {
		root *object.Object
		path string
	}
	b := object.Once(set, key{p.Root, p.Path}, func(set *object.Set) built {
		files, err := FilesOf(set)
		if err != nil {
			return built{nil, err}
		}
		return built{files.Build(p.InventoryRoot(set)), nil}
	})
	return b.inventory, b.err
}

// FilesOf are the files of the input, of which each build is made once.
//
// It fails where they cannot be read.
func FilesOf(set *object.Set) (*inventory.Files, error) {
	type read struct {
		files *inventory.Files
		err   error
	}
	type key struct{}
	r := object.Once(set, key{}, func(set *object.Set) read {
		tree, err := set.Tree()
		if err != nil {
			return read{nil, err}
		}
		files, err := inventory.Open(tree)
		return read{files, err}
	})
	return r.files, r.err
}

// SameCluster reports whether the root of an install applies an object, directly or through Flux Kustomizations that it
// applies; of a kustomization.yaml, whether one of these reads it. Where one does not build, what its path leads to is
// taken to be applied: it may be on the cluster since it did build.
func SameCluster(set *object.Set, o *object.Object, install *Install) bool {
	inv, err := install.Pair.Inventory(set)
	switch {
	case err != nil:
		return leadsTo(set, install.Pair, o.File)
	case o.Group() == ConfigGroup && inv.Reads(o.File), inv.Applied(o.Group(), o.Kind, o.Name, o.File):
		return true
	}
	return !inv.Whole() && leadsTo(set, install.Pair, o.File)
}

// leadsTo reports whether the paths of the root of a pair, and of what it applies, lead to a file of the input.
func leadsTo(set *object.Set, pair Pair, file string) bool {
	type key struct {
		root *object.Object
		path string
	}
	known := object.Once(set, key{pair.Root, pair.Path}, func(*object.Set) map[string]bool { return map[string]bool{} })
	leads, met := known[file]
	if !met {
		leads = reaches(set, pair, file, map[string]bool{})
		known[file] = leads
	}
	return leads
}

// Foreign reports whether another cluster of the input applies an object, and the cluster of the install does not.
func (i *Install) Foreign(set *object.Set, o *object.Object) bool {
	return slices.ContainsFunc(i.Others, func(other *Install) bool { return SameCluster(set, o, other) }) &&
		!SameCluster(set, o, i)
}

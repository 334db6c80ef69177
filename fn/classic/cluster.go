package classic

import (
	"slices"

	"migrate-to-flux-operator/fn/object"
)

// SameCluster reports whether the root of an install applies an object, directly or through Flux Kustomizations that it
// applies. Beside other clusters, it is found out for all of them once.
func SameCluster(set *object.Set, o *object.Object, install *Install) bool {
	if len(install.Others) == 0 {
		return reaches(set, install.Pair, o.File, map[string]bool{})
	}
	return install.among(install.clusters(set).applying(set, o))
}

// among reports whether the cluster of an install is one of those of others.
func (i *Install) among(others []*Install) bool {
	return slices.ContainsFunc(others, func(other *Install) bool { return other.Pair.Is(i.Pair) })
}

// Foreign tells an object that another cluster of the input applies, and the cluster of the install does not.
func (i *Install) Foreign(set *object.Set, o *object.Object) bool {
	if len(i.Others) == 0 {
		return false
	}
	applying := i.clusters(set).applying(set, o)
	return len(applying) > 0 && !i.among(applying)
}

// clusters are the installs of the input, the ways that lead from their roots, and what is known of who applies a file.
type clusters struct {
	routes
	all  []*Install
	upTo map[string][]*Install
}

func (i *Install) clusters(set *object.Set) *clusters {
	type key struct{}
	return object.Once(set, key{}, func(set *object.Set) *clusters {
		c := &clusters{all: append(slices.Clone(i.Others), i), upTo: map[string][]*Install{}}
		for n, install := range c.all {
			c.add(set, n, install.Pair.Path, install.Pair.Root.File)
		}
		return c
	})
}

// applying are the installs whose clusters apply an object, as the input has it. Only those are tried whose root can
// apply its file or that of a Flux Kustomization above it, so that many clusters do not each look at what is in all
// others.
func (c *clusters) applying(set *object.Set, o *object.Object) []*Install {
	found, known := c.upTo[o.File]
	if known {
		return found
	}
	files := map[string]bool{}
	filesAbove(set, o.File, files)
	var near []int
	for file := range files {
		near = append(near, c.to(file)...)
	}
	for _, n := range inOrder(near) {
		if reaches(set, c.all[n].Pair, o.File, map[string]bool{}) {
			found = append(found, c.all[n])
		}
	}
	c.upTo[o.File] = found
	return found
}

// filesAbove collects a file, and those of the Flux Kustomizations that apply it, directly or not, whatever their
// source.
func filesAbove(set *object.Set, file string, all map[string]bool) {
	if all[file] {
		return
	}
	all[file] = true
	for _, k := range reaching(set, file) {
		if k.Str("spec", "path") != "" && Applies(set, syncPath(k), file) {
			filesAbove(set, k.File, all)
		}
	}
}

// reaches climbs, within the source of the pair, from a file to the Flux Kustomizations that apply it, until it is the
// root's.
func reaches(set *object.Set, pair Pair, file string, seen map[string]bool) bool {
	if seen[file] {
		return false
	}
	seen[file] = true
	ways := reaching(set, file)
	// its path may be another one than it has in its file
	if !set.Removed(pair.Root) && !slices.Contains(ways, pair.Root) {
		ways = append(ways, pair.Root)
	}
	for _, k := range ways {
		at := syncPath(k)
		if k == pair.Root {
			at = pair.Path
		}
		if k != pair.Root && k.Str("spec", "path") == "" || !pair.Syncs(set, k) || !Applies(set, at, file) {
			continue
		}
		if k == pair.Root || reaches(set, pair, k.File, seen) {
			return true
		}
	}
	return false
}

package classic

import (
	"cmp"
	"path"
	"slices"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/fields"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// pairOfRoot is the pair of the cluster where the one that applies the install is no root: a Flux Kustomization that
// another one applies, and that does not apply itself.
func pairOfRoot(set *object.Set, pair Pair, cfg config.Config, found *finding.List) (Pair, bool) {
	child := pair.Root
	if !set.HasPaths() || pair.Prefix != "" || Applies(set, pair.Path, child.File) || applier(set, child) == nil {
		return pair, true
	}
	return findPair(set, Nearest(tops(set, child), child), cfg, found)
}

// cluster is the pair of a cluster that applies an install, and those of the others that apply it too.
type cluster struct {
	pair    Pair
	sharing []Pair
	// byHand is the folder that was applied by hand, once; empty where Flux applies the install.
	byHand string
}

// clustersOf are the clusters that apply an object, through a child or not. An Error says why there is none.
func clustersOf(set *object.Set, anchor *object.Object, cfg config.Config, found *finding.List) []cluster {
	var all []cluster
	var failed finding.List
	ways := tops(set, anchor)
	for _, at := range ways {
		for _, pair := range findPairs(set, at, cfg, &failed) {
			if slices.ContainsFunc(all, func(c cluster) bool { return c.pair.Is(pair) }) { // found on another way
				continue
			}
			one := cluster{pair: pair}
			for _, way := range ways {
				one.sharing = append(one.sharing, pair.others(set, way)...)
			}
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		found.Merge(&failed)
	}
	return all
}

// childRules say what becomes of a Flux Kustomization between the root and the install, which is in the repository.
var childRules = append(slices.DeleteFunc(slices.Clone(artifactRules),
	func(r fields.Rule) bool { return r.From == "spec.path" }),
	fields.Rule{From: "spec.path", Why: "the manifests there go"})

// findChild finds the Flux Kustomization between the root and the install, and the folder that it applies; where there
// is none, that of the root.
func (i *Install) findChild(set *object.Set) (top string) {
	if !set.HasPaths() || i.Pair.Prefix != "" || Applies(set, i.Pair.Path, i.Anchor.File) {
		return i.Pair.Dir()
	}
	child, top := i.Pair.applier(set, i.Anchor)
	if child == nil || child == i.Pair.Root {
		return i.Pair.Dir()
	}
	i.Child = child
	return top
}

// lastLayer is what the Flux Kustomization that applies the install does to it: the child, or the root itself.
func (i *Install) lastLayer(set *object.Set, found *finding.List) (Layer, bool) {
	if i.Child == nil {
		layer, err := rootLayer(i.Pair)
		if err != nil {
			found.Error(finding.NotFollowed, i.Pair.Root, "spec.patches", "%s", err)
		}
		return layer, err == nil
	}
	layer, err := i.childLayer(set)
	if err != nil {
		found.Error(finding.UnsupportedField, i.Child, "spec", "%s", err)
	}
	return layer, err == nil
}

func (i *Install) childLayer(set *object.Set) (Layer, error) {
	live, err := i.Pair.OnCluster(set, i.Child)
	if err != nil {
		return Layer{}, err
	}
	above := i.Patches
	i.Patches = nil
	err = i.readSpec(i.Child, live, childRules)
	layer := Layer{Patches: i.Patches}
	i.Patches = above
	for n := range layer.Patches {
		layer.Patches[n].Object = i.Child
	}
	return layer, err
}

// second is another Flux Kustomization of the cluster that applies the install too, to this cluster or to another one;
// nil when there is none.
func (i *Install) second(set *object.Set, remote bool) *object.Object {
	if !set.HasPaths() || i.Pair.Prefix != "" {
		return nil
	}
	for _, k := range reaching(set, i.Anchor.File) {
		at := k.Str("spec", "path")
		_, elsewhere := object.Get[any](k.Map(), "spec", "kubeConfig")
		if k != i.Child && k != i.Pair.Root && at != "" && elsewhere == remote && !isTemplate(k) &&
			i.Pair.Syncs(set, k) && Applies(set, CleanPath(at), i.Anchor.File) && SameCluster(set, k, i) {
			return k
		}
	}
	return nil
}

// ownChild makes the child go with the install where it applies nothing else.
func (i *Install) ownChild(set *object.Set, top string, found *finding.List) bool {
	i.Remote = i.second(set, true)
	if k := i.second(set, false); k != nil {
		found.Error(finding.TwoOwners, k, "spec.path", "it applies Flux, as %s does, and a guard on one leaves the "+
			"other to prune it: keep one of the two. Set deletionPolicy of the other to Orphan (before Flux 2.5 "+
			"prune to false), push that, and wait until it is applied; then remove it, and run again",
			cmp.Or(i.Child, i.Pair.Root).ID)
		return false
	}
	if i.Child == nil || !i.isAlone(set, top) {
		return true
	}
	i.Owner, i.Objects = i.Child, append(i.Objects, i.Child)
	i.addEmptied(set)
	if err := i.freeRoot(found); err != nil {
		found.Error(finding.CannotBeEdited, i.Pair.Root, "spec.dependsOn", "%s", err)
		return false
	}
	return true
}

// addEmptied takes the Flux Kustomizations above the install's own into the install, for which nothing is left to
// apply.
func (i *Install) addEmptied(set *object.Set) {
	for at := i.Owner; ; {
		child, top := i.Pair.applier(set, at)
		if child == nil || child == i.Pair.Root || slices.Contains(i.Objects, child) || !i.isAlone(set, top) {
			return
		}
		i.Objects, at = append(i.Objects, child), child
	}
}

// isAlone reports whether a folder applies the install and nothing else. Where a kustomization.yaml on the way makes
// objects, or leads to some that are not in the input, it does not.
func (i *Install) isAlone(set *object.Set, top string) bool {
	return !slices.ContainsFunc(set.Current(), func(o *object.Object) bool {
		switch {
		case slices.Contains(i.Objects, o) || !Applies(set, top, o.File):
			return false
		case o.Is(ConfigGroup, "Kustomization") || o.Is(ConfigGroup, "Component") ||
			slices.Contains(KustomizationFiles, path.Base(o.File)):
			return Makes(o) || LeadsOut(set, o)
		default:
			return o.Kind != ""
		}
	})
}

// Makes tells a kustomization.yaml that makes objects of its own.
func Makes(k *object.Object) bool {
	return slices.ContainsFunc([]string{"configMapGenerator", "secretGenerator", "generators", "helmCharts",
		"helmChartInflationGenerator"}, func(field string) bool {
		return k.Map()[field] != nil
	})
}

// LeadsOut tells a kustomization.yaml with an entry that is not in the input, but for flux2's own manifests.
func LeadsOut(set *object.Set, k *object.Object) bool {
	return slices.ContainsFunc(EntryFields, func(field string) bool {
		return slices.ContainsFunc(TextsIn(k.Map(), field), func(entry string) bool {
			at := path.Join(path.Dir(k.File), entry)
			return !IsRemoteBase(entry) && len(set.InFile(at)) == 0 && KustomizationIn(set, at) == nil
		})
	})
}

package migrate

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// otherRoots are the roots of the clusters that a run leaves alone: those with a classic install that was not chosen,
// and those that a FluxInstance syncs.
func otherRoots(set *object.Set, installs []*classic.Install, cfg config.Config) []inventory.Root {
	ours := func(at string) bool {
		return slices.ContainsFunc(installs, func(i *classic.Install) bool {
			return at == i.Pair.Path ||
				at == i.Pair.NewPath(cfg)
		})
	}
	var roots []inventory.Root
	if len(installs) > 0 { // each has the same others that were not chosen
		for _, other := range installs[0].Others {
			if !ours(other.Pair.Path) {
				roots = append(roots, inventory.Root{Kustomization: other.Pair.LiveRoot.Map(),
					Source: other.Pair.LiveSource.Map()})
			}
		}
	}
	for _, e := range instance.Existings(set) {
		if root, known := e.Root(); known && !ours(root.Path()) {
			roots = append(roots, root)
		}
	}
	return roots
}

// others are the roots that a run leaves alone, those that are given and those that the files show. One without a path
// is a sample.
func (a applied) others(installs []*classic.Install, given []inventory.Root) others {
	all := others{known: given}
	below := func(i *classic.Install) bool { return i.Pair.Prefix != "" } // then the paths of roots lead elsewhere
	if a.files == nil || slices.ContainsFunc(installs, below) {
		return all
	}
	for _, cluster := range a.files.Beyond(slices.Collect(maps.Values(a.of))...) {
		for _, root := range cluster.Roots {
			ours := slices.ContainsFunc(installs, func(i *classic.Install) bool {
				inv := a.of[i]
				return i.Pair.Path == root.Path() || inv != nil && inv.Applies(root)
			})
			if at, _ := object.Get[string](root.Kustomization, "spec", "path"); !ours && at != "" {
				all.likely = append(all.likely, root)
			}
		}
	}
	return all
}

// sharing knows what the clusters that a run leaves alone apply.
type sharing struct {
	set    *object.Set
	others others
}

// others are the roots that a run leaves alone. Of those that are known a classic install or a FluxInstance says that
// they are clusters; the files alone say it of the rest.
type others struct{ known, likely []inventory.Root }

// with is the path of another cluster that applies a file.
func (s sharing) with(file string) (cluster string, shared bool) {
	if cluster, shared = s.among(s.others.known, file); shared {
		return cluster, shared
	}
	return s.among(s.others.likely, file)
}

// among is with for some roots.
func (s sharing) among(roots []inventory.Root, file string) (cluster string, shared bool) {
	for _, root := range roots {
		if at := root.Path(); file != "" && classic.Applies(s.set, at, file) {
			return shown(at), true
		}
	}
	return "", false
}

// own is the last kustomization.yaml on the way from the root of an install to a file that no other cluster applies,
// and its entry that leads there; nil where the first is shared already.
func (s sharing) own(install *classic.Install, file string) (last *object.Object, entry string) {
	at := install.Pair.Dir()
	for range maxNesting {
		k := s.into(at, file)
		if k == nil {
			break
		}
		if _, shared := s.with(k.File); shared {
			break
		}
		last, entry = k, leading(s.set, k, file)
		if entry == "" || entry == file {
			break
		}
		at = entry
	}
	return last, entry
}

// into is the kustomization.yaml by which a folder leads to a file: its own or, where it has none, the topmost below it
// that does, as kustomize-controller lists it; nil where there is none.
func (s sharing) into(dir, file string) *object.Object {
	if k := classic.KustomizationIn(s.set, dir); k != nil {
		return k
	}
	var top *object.Object
	for _, k := range s.set.Of(classic.ConfigGroup, "Kustomization") {
		at := path.Dir(k.File)
		if object.Within(at, dir) && (top == nil || len(at) < len(path.Dir(top.File))) &&
			classic.Applies(s.set, at, file) {
			top = k
		}
	}
	return top
}

// apart puts the guard on objects that another cluster applies as well into the last kustomization.yaml on the way to
// them that is the cluster's own, and returns the objects that no other cluster applies.
//
// It fails where the cluster has no such kustomization.yaml.
func (s sharing) apart(install *classic.Install, objects []*object.Object) (own []*object.Object, err error) {
	for _, o := range objects {
		if _, shared := s.with(o.File); !shared {
			own = append(own, o)
			continue
		}
		target := object.Map(object.F("group", o.Group()), object.F("kind", o.Kind),
			object.F("name", regexp.QuoteMeta(o.Name)))
		switch done, err := s.patchOwn(install, o, guardPatch(target)); {
		case err != nil:
			return nil, err
		case !done:
			own = append(own, o)
		}
	}
	return own, nil
}

// patchOwn adds a patch of a shared object to the last kustomization.yaml on the way to it that is the cluster's own,
// and reports whether there is one, as there need not be for what is only likely a cluster.
//
// It fails where there is none, and a cluster is known that shares the object.
func (s sharing) patchOwn(install *classic.Install, o *object.Object, patch *kyaml.Node) (done bool, err error) {
	if k, _ := s.own(install, o.File); k != nil {
		return true, addPatch(k, patch)
	}
	if cluster, known := s.among(s.others.known, o.File); known {
		return false, fmt.Errorf("the cluster %s, which this run leaves alone, applies %s as well, and no "+
			"kustomization.yaml of %s alone leads to it: name that cluster too, or give each cluster a file of its "+
			"own first", cluster, o.File, install.Pair.Root.ID)
	}
	return false, nil
}

// leaveToOthers takes out of what a cleanup removes what another cluster applies as well: of that the chosen cluster's
// own list loses the entry, and no file goes. It returns what goes.
func (s sharing) leaveToOthers(install *classic.Install, removed []*object.Object,
	findings *finding.List) []*object.Object {
	if len(install.Sharing) > 0 {
		return removed // checkShared has judged that
	}
	var own []*object.Object
	for _, o := range removed {
		cluster, shared := s.with(o.File)
		if !shared {
			own = append(own, o)
			continue
		}
		if err := s.dropOwnEntry(install, o, removed); err != nil {
			findings.Error(finding.SharedManifests, o, "", "the cluster %s, which this run leaves alone, applies "+
				"this as well, and %s: name that cluster too, or give each cluster a file of its own first",
				cluster, err)
			return removed
		}
	}
	return own
}

// dropOwnEntry takes the entry that leads to an object out of the last kustomization.yaml on the way to it that is the
// cluster's own.
//
// It fails where there is none, and where the entry leads to what stays as well.
func (s sharing) dropOwnEntry(install *classic.Install, o *object.Object, removed []*object.Object) error {
	k, entry := s.own(install, o.File)
	if k == nil {
		return fmt.Errorf("no kustomization.yaml of %s alone leads to it", install.Pair.Root.ID)
	}
	return dropLast(s.set, k, entry, removed)
}

// maxNesting is how many kustomization.yaml files may lead from one to the next: more is a circle.
const maxNesting = 32

// leading is the entry of a kustomization.yaml that leads to a file, empty where that was taken out already.
func leading(set *object.Set, k *object.Object, file string) string {
	for _, field := range classic.EntryFields {
		for _, entry := range classic.TextsIn(k.Map(), field) {
			if at := path.Join(path.Dir(k.File), entry); at == file || classic.Applies(set, at, file) {
				return at
			}
		}
	}
	return ""
}

// dropLast takes an entry out of a kustomization.yaml, unless it leads to what is not to be removed.
func dropLast(set *object.Set, k *object.Object, entry string, removed []*object.Object) error {
	if entry == "" {
		return nil
	}
	for _, o := range set.All() {
		if o.Group() != classic.ConfigGroup && !slices.Contains(removed, o) &&
			(o.File == entry || classic.Applies(set, entry, o.File)) {
			return fmt.Errorf("the entry %s of %s brings %s too, which stays", entry, k.File, o.ID)
		}
	}
	_, err := dropFrom(k, func(e string) bool { return path.Join(path.Dir(k.File), e) == entry })
	return err
}

package migrate

import (
	"fmt"
	"path"
	"slices"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// otherRoots are the roots of the clusters that a run leaves alone: those with a classic install that was not chosen, and those that a
// FluxInstance syncs.
func otherRoots(set *object.Set, installs []*classic.Install, cfg config.Config) []inventory.Root {
	ours := func(at string) bool {
		return slices.ContainsFunc(installs, func(i *classic.Install) bool { return at == i.Pair.Path || at == i.Pair.NewPath(cfg) })
	}
	var roots []inventory.Root
	if len(installs) > 0 { // each has the same others that were not chosen
		for _, other := range installs[0].Others {
			if !ours(other.Pair.Path) {
				roots = append(roots, inventory.Root{Kustomization: other.Pair.LiveRoot.Map(), Source: other.Pair.LiveSource.Map()})
			}
		}
	}
	for _, e := range instance.Existings(set) {
		if root, known := e.Root(); known && !ours(pathOf(root)) {
			roots = append(roots, root)
		}
	}
	return roots
}

// pathOf is the clean sync path of a root.
func pathOf(root inventory.Root) string {
	at, _ := object.Get[string](root.Kustomization, "spec", "path")
	return classic.CleanPath(at)
}

// leaveToOthers takes out of what a cleanup removes what another cluster applies as well: of that the chosen cluster's own list loses
// the entry, and no file goes. It returns what goes.
func leaveToOthers(set *object.Set, install *classic.Install, removed []*object.Object, others []inventory.Root, findings *finding.List) []*object.Object {
	by := func(file string) int {
		return slices.IndexFunc(others, func(root inventory.Root) bool { return classic.Applies(set, pathOf(root), file) })
	}
	shared := func(file string) bool { return by(file) >= 0 }
	if len(install.Sharing) > 0 {
		return removed // checkShared has judged that
	}
	var own []*object.Object
	for _, o := range removed {
		if o.File == "" || !shared(o.File) {
			own = append(own, o)
			continue
		}
		if err := dropOwnEntry(set, install, o, removed, shared); err != nil {
			findings.Error(o, "", "the cluster %s, which this run leaves alone, applies this as well, and %s: name that cluster too, or give each cluster a file of its own first",
				shown(pathOf(others[by(o.File)])), err)
			return removed
		}
	}
	return own
}

// dropOwnEntry takes the entry that leads to an object out of the last kustomization.yaml on the way to it that is the cluster's own.
//
// It fails where there is none, and where the entry leads to what stays as well.
func dropOwnEntry(set *object.Set, install *classic.Install, o *object.Object, removed []*object.Object, shared func(file string) bool) error {
	at := install.Pair.Dir()
	for range maxNesting {
		k := classic.KustomizationIn(set, at)
		if k == nil || shared(k.File) {
			break
		}
		entry := leading(set, k, o.File)
		if entry == "" || entry == o.File || classic.KustomizationIn(set, entry) == nil || shared(classic.KustomizationIn(set, entry).File) {
			return dropLast(set, k, entry, removed)
		}
		at = entry
	}
	return fmt.Errorf("no kustomization.yaml of %s alone leads to it", install.Pair.Root.ID)
}

// maxNesting is how many kustomization.yaml files may lead from one to the next: more is a circle.
const maxNesting = 32

// leading is the entry of a kustomization.yaml that leads to a file, empty where that was taken out already.
func leading(set *object.Set, k *object.Object, file string) string {
	for _, field := range classic.EntryFields {
		for _, entry := range entries(k, field) {
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
		if o.Group() != classic.ConfigGroup && !slices.Contains(removed, o) && (o.File == entry || classic.Applies(set, entry, o.File)) {
			return fmt.Errorf("the entry %s of %s brings %s too, which stays", entry, k.File, o.ID)
		}
	}
	_, err := dropFrom(k, func(e string) bool { return path.Join(path.Dir(k.File), e) == entry })
	return err
}

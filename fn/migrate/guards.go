package migrate

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// applied is what Flux applies of a repository, for each install what its root does.
type applied struct {
	files *inventory.Files
	of    map[*classic.Install]*inventory.Inventory
	// placed are the guards that were put on the Flux Kustomizations of the installs.
	placed map[*object.Object]*placing
	// added says for which install each new object was added.
	added map[*object.Object]*classic.Install
}

// asCame is what Flux applies of a set that has no edits yet.
//
// It fails where the files of the set cannot be read.
func asCame(set *object.Set, installs []*classic.Install) (applied, error) {
	files, err := classic.FilesOf(set)
	came := applied{files, map[*classic.Install]*inventory.Inventory{}, map[*object.Object]*placing{},
		map[*object.Object]*classic.Install{}}
	for _, install := range installs {
		if err == nil {
			came.of[install], err = install.Pair.Inventory(set)
		}
	}
	return came, err
}

// after builds what Flux applies of a set with its edits so far. What is built alike is taken from the earlier state.
//
// It fails where the files of the set cannot be made.
func (a applied) after(set *object.Set, installs []*classic.Install) (applied, error) {
	now := applied{a.files, map[*classic.Install]*inventory.Inventory{}, a.placed, a.added}
	tree, err := set.Tree()
	if err != nil {
		return now, err
	}
	if now.files, err = a.files.With(tree); err != nil {
		return now, err
	}
	for _, install := range installs {
		now.of[install] = now.files.Build(install.Pair.InventoryRoot(set))
	}
	return now, nil
}

// guardee is an object that Flux must leave alone when its file goes.
type guardee struct {
	object *object.Object
	field  string           // that carries the guard; empty where a folder does
	loss   string           // what goes without it
	second *inventory.Entry // another definition of the object, which alone has no guard
	undone string           // what on the way to the cluster takes the guard away; empty where it was never there
}

// newGuarded are the new objects with a guard.
func newGuarded(set *object.Set) []*object.Object {
	type key struct{}
	return slices.Clone(object.Until(set, key{}, func(set *object.Set) []*object.Object {
		return slices.DeleteFunc(slices.Clone(set.Added()),
			func(o *object.Object) bool { return !inventory.EntryOf(o.Map()).Guarded() })
	}))
}

// concerns reports whether a new object was added for an install, or its root applies it as well.
func (a applied) concerns(install *classic.Install, o *object.Object) bool {
	inv := a.of[install]
	return a.added[o] == install || inv != nil && inv.Applied(o.Group(), o.Kind, o.Name, o.File)
}

// guardees are what has to be guarded before the classic install can go, but for the Flux Kustomization that it may
// have.
func (a applied) guardees(set *object.Set, install *classic.Install, existing *instance.Existing,
	adopts bool) []guardee {
	var all []guardee
	add := func(field, loss string, objects ...*object.Object) {
		for _, o := range objects {
			all = append(all, guardee{object: o, field: field, loss: loss})
		}
	}
	switch {
	case install.Owner != nil || install.ByHand != "":
	case len(install.Guarded) > 0:
		add("metadata.annotations", lossOfFlux, install.Guarded...)
	case install.Unseen():
		add("", lossOfAll, install.Anchor)
	default:
		add("", lossOfAll, append([]*object.Object{install.Anchor}, install.Objects...)...)
	}
	add("metadata.annotations", "the volume of source-controller", takenClaim(set, install, existing)...)
	if adopts {
		add("metadata.annotations", "every workload", install.Pair.Source, install.Pair.Root)
	}
	add("metadata.annotations", "", slices.DeleteFunc(newGuarded(set),
		func(o *object.Object) bool { return !a.concerns(install, o) })...)
	if existing != nil && !set.IsNew(existing.At) && inventory.EntryOf(existing.At.Map()).Guarded() {
		add("metadata.annotations", "", existing.At)
	}
	return all
}

// The losses that a guard of the install prevents.
const (
	lossOfFlux = "every Flux CRD and controller"
	lossOfAll  = "every Flux CRD and everything Flux applied"
)

// unguarded are those of an install that are not guarded as Flux applies them; of the objects of its folder the first
// alone. What another definition applies as well goes with its guard or is that one's: what counts is the own.
func (a applied) unguarded(set *object.Set, install *classic.Install, existing *instance.Existing,
	adopts bool) []guardee {
	var all []guardee
	if install.Owner != nil && !a.orphans(install) {
		all = append(all, guardee{object: install.Owner, field: "spec.deletionPolicy", loss: lossOfFlux})
	}
	for _, g := range a.guardees(set, install, existing, adopts) {
		if g.field == "" && len(all) > 0 && all[len(all)-1].field == "" {
			continue
		}
		var guarded bool
		guarded, g.second = a.guarded(set, install, g.object)
		if other := g.second != nil && (g.loss == "" || g.field == ""); !guarded && !other {
			all = append(all, g)
		}
	}
	for i := range all {
		all[i].undone = a.undoing(install, all[i])
	}
	return all
}

// entries are an object as each Flux Kustomization applies it; none where nothing that could be read does.
func (a applied) entries(install *classic.Install, o *object.Object) []inventory.Entry {
	inv := a.of[install]
	if inv == nil {
		return nil
	}
	switch o {
	case install.Pair.Source:
		o = install.Pair.LiveSource
	case install.Pair.Root:
		o = install.Pair.LiveRoot
	}
	id := inventory.ID{Group: o.Group(), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
	found := inv.Find(id)
	if id.Namespace == "" && len(found) == 0 { // a kustomization.yaml may set it
		id.Namespace = install.Namespace
		found = inv.Find(id)
	}
	return found
}

// guarded reports whether Flux leaves an object when its file goes, as all apply it that do; what nothing applies that
// could be read is as its file has it. Where it is another definition alone that is not guarded, that is second.
func (a applied) guarded(set *object.Set, install *classic.Install, o *object.Object) (guarded bool,
	second *inventory.Entry) {
	if install.Unseen() && o == install.Anchor {
		return a.folderGuarded(set, install), nil
	}
	entries := a.entries(install, o)
	if len(entries) == 0 {
		return inventory.EntryOf(o.Map()).Guarded() ||
			slices.ContainsFunc([]*classic.Folder{folderOf(set, install), install.Folder},
				func(f *classic.Folder) bool {
					return f.Lists(o.File) && f.Guarded()
				}), nil
	}
	guarded = true
	for _, e := range entries {
		if e.Guarded() && e.Frozen() == "" {
			continue
		}
		if file := e.File.String(); file == o.File || file == "" {
			return false, nil
		}
		guarded, second = false, &e
	}
	return guarded, second
}

// folderGuarded reports whether all that the kustomization.yaml of an install lists is guarded, where no file shows
// what that is.
func (a applied) folderGuarded(set *object.Set, install *classic.Install) bool {
	folder := cmp.Or(folderOf(set, install), install.Folder) // a cleanup of another cluster may have taken it out
	if folder == nil {
		return false
	}
	if inv := a.of[install]; inv != nil {
		if guarded, found := inv.GuardsAll(folder.Object.File); found {
			return guarded
		}
	}
	return folder.Guarded()
}

// folderOf is the kustomization.yaml that lists an install, as it is now; nil where there is none.
func folderOf(set *object.Set, install *classic.Install) *classic.Folder {
	if !byFolder(install) {
		return install.Folder
	}
	folder, err := classic.ReadFolder(set, path.Dir(install.Anchor.File))
	if err != nil {
		return install.Folder
	}
	return folder
}

// orphans reports whether removing the Flux Kustomization of an install leaves what it applied.
func (a applied) orphans(install *classic.Install) bool {
	owner := inventory.OwnerOf(install.Owner.Map())
	for _, e := range a.entries(install, install.Owner) {
		live, found := a.of[install].Owner(owner.Name)
		if !found || e.Frozen() != "" {
			return false
		}
		owner = live
	}
	return owner.Orphans(install.Version.Release) != ""
}

// undoing names what on the way to the cluster takes the guard away that an object has in its file; empty where nothing
// does.
func (a applied) undoing(install *classic.Install, g guardee) string {
	keys := []string{instance.PruneKey}
	if g.object == install.Owner {
		if policy := g.object.Str("spec", "deletionPolicy"); policy != "" &&
			!inventory.HasDeletionPolicy(g.object.APIVersion, install.Version.Release) {
			return fmt.Sprintf("spec.deletionPolicy, which %s of Flux %s does not have,", g.object.APIVersion,
				install.Version.Release)
		}
		keys = []string{"deletionPolicy", "prune", "commonMetadata"}
	}
	for _, e := range a.entries(install, g.object) {
		if frozen := e.Frozen(); frozen != "" {
			return frozen + " on it, with which Flux changes nothing of it,"
		}
		if sets := a.of[install].Undoes(e, keys...); len(sets) > 0 {
			return sets[0]
		}
	}
	return ""
}

// guardAll sees to it that the guards of deploy hold as Flux applies them. Where what applies the Flux Kustomization of
// an install undoes a guard on it, the next that it can carry is tried. What cannot be guarded is an Error.
func guardAll(set *object.Set, installs []*classic.Install, cfg config.Config, now applied, all *finding.List) applied {
	for range ownerGuards {
		var err error
		if now, err = now.after(set, installs); err != nil {
			all.Error(finding.FilesUnreadable, nil, "", "the guards cannot be looked at as Flux applies them: %s", err)
			return now
		}
		if !now.guardOtherwise(installs) {
			break
		}
	}
	for _, install := range installs {
		findings := all.For(install.Cluster())
		existing := ExistingInstance(set, install, cfg)
		adopts := cfg.Sync.Mode != config.Keep && (existing == nil || existing.Adopts())
		for _, g := range now.unguarded(set, install, existing, adopts) {
			tellUndone(install, g, findings)
		}
		if inv := now.of[install]; inv != nil {
			tellHazards(set, inv, findings)
		}
		all.Merge(findings)
	}
	return now
}

// guardOtherwise puts the next guard on the Flux Kustomizations whose guard does not hold, and reports whether one had
// a next.
func (a applied) guardOtherwise(installs []*classic.Install) bool {
	changed := false
	for _, install := range installs {
		if at := a.placed[install.Owner]; at != nil && !a.orphans(install) {
			changed = at.next() || changed
		}
	}
	return changed
}

// tellHazards warns of what Flux would do to what makes Flux Operator run Flux.
func tellHazards(set *object.Set, inv *inventory.Inventory, findings *finding.List) {
	for _, h := range inv.Hazards() {
		file := h.Entry.File.String()
		at := slices.IndexFunc(set.Current(),
			func(o *object.Object) bool { return o.File == file && o.Kind == h.Entry.Kind && o.Name == h.Entry.Name })
		if at < 0 {
			findings.Add(finding.Finding{Severity: finding.Warning, Code: finding.OperatorAtRisk, File: file,
				Message: h.Entry.ID.String() + ": " + h.What})
			continue
		}
		findings.Warn(finding.OperatorAtRisk, set.Current()[at], h.Field, "%s", h.What)
	}
}

// tellHazardsOfMigrated is tellHazards for a repository in which no classic install is left. It returns what was built.
func tellHazardsOfMigrated(set *object.Set, roots []inventory.Root, findings *finding.List) *inventory.Files {
	if len(roots) == 0 || !set.HasPaths() {
		return nil
	}
	tree, err := set.Tree()
	if err != nil {
		findings.Warn(finding.FilesUnreadable, nil, "", "what Flux applies cannot be read, and so not what would "+
			"uninstall it: %s", err)
		return nil
	}
	files, err := (*inventory.Files)(nil).With(tree)
	if err != nil {
		findings.Warn(finding.FilesUnreadable, nil, "", "what Flux applies cannot be read, and so not what would "+
			"uninstall it: %s", err)
		return nil
	}
	for _, root := range roots {
		inv := files.Build(root)
		tellMissing(set, inv, findings)
		tellHazards(set, inv, findings)
	}
	return files
}

// tellMissing tells that a root lists files which are not there, so that Flux can build none of it. It refuses those of
// flux bootstrap: removed by hand, an install is still listed. Others may be in no commit, as what CI or an artifact
// fills in.
func tellMissing(set *object.Set, inv *inventory.Inventory, findings *finding.List) {
	for _, o := range inv.Opaque {
		root := inv.Owners[0]
		if o.Reason != inventory.OpaqueMissing || o.Owner != root.Name {
			continue
		}
		at := slices.IndexFunc(set.Current(), func(k *object.Object) bool { return k.File == o.File })
		if at < 0 {
			continue
		}
		kind, _ := object.Get[string](root.Content(), "spec", "sourceRef", "kind")
		if kind != "GitRepository" || !classic.WritesBootstrap(path.Base(o.What)) {
			findings.Warn(finding.InstallDoesNotBuild, set.Current()[at], "resources", "it lists %s, which is not "+
				"there: if this is all of the repository, Flux cannot build the root", o.What)
			continue
		}
		findings.Add(finding.About(finding.Error, finding.InstallDoesNotBuild, "", set.Current()[at], "resources",
			"it lists %s, which is not there: Flux cannot build the root; bring the file back, and let cleanup remove "+
				"it where it is of Flux", o.What).
			With(shell.Run("git", "checkout", "--", shell.Path(path.Join(path.Dir(o.File), o.What)))))
	}
}

// tellUndone says that a guard of deploy does not hold.
func tellUndone(install *classic.Install, g guardee, findings *finding.List) {
	switch {
	case g.second != nil:
		findings.Warn(finding.SecondDefinition, g.object, g.field, "%s", g.secondly())
	case g.object == install.Owner:
		findings.Error(finding.GuardUndone, g.object, g.field, "no guard can be set on it: %s undoes deletionPolicy, "+
			"prune: false and commonMetadata alike, so an early cleanup deletes %s; take one of them out of there "+
			"first", orThat(g.undone), g.loss)
	default:
		findings.Error(finding.GuardUndone, g.object, g.field, "the guard %s: %s does not hold: %s undoes it, so %s; "+
			"take it out of there first", instance.PruneKey, instance.Disabled, orThat(g.undone), g.risk())
	}
}

// risk is what could happen without the guard.
func (g guardee) risk() string {
	if g.loss == "" {
		return "Flux deletes it when it leaves Git, and with it what it installs"
	}
	return "an early cleanup deletes " + g.loss
}

// secondly says what to do about another definition without a guard.
func (g guardee) secondly() string {
	return fmt.Sprintf("%s defines it a second time, and Flux Kustomization %s applies that without a guard: each "+
		"takes it from the other, and where that definition goes, Flux deletes %s; annotate it with %s: %s there as "+
		"well, push that, and wait until it is live, before you remove either", g.second.File, g.second.Owner, g.loss,
		instance.PruneKey, instance.Disabled)
}

// orThat is what undoes a guard, in words where it could not be found.
func orThat(undone string) string {
	if undone == "" {
		return "what applies it"
	}
	return undone
}

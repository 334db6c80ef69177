package migrate

import (
	"path"
	"slices"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
)

// cleanup removes the classic install. What it removes is deleted by Flux unless it is guarded and taken over, so it
// does nothing until the input shows deploy's result and the owner says that the cluster has taken over.
func cleanup(set *object.Set, install *classic.Install, existing *instance.Existing, cfg config.Config, before applied,
	others others, findings *finding.List) {
	if existing == nil {
		findings.Error(finding.NoInstance, install.Anchor, "", "cleanup is too early: the input holds no "+
			"FluxInstance for this cluster, and removing the classic install now would delete every Flux CRD and "+
			"everything Flux applied; run the phase deploy, push it and wait for the take-over")
		return
	}
	if install.KeepReason != "" {
		findings.Error(finding.HelmOwnsRelease, install.Anchor, "", "cleanup is refused: %s", install.KeepReason)
		return
	}
	checkExisting(set, existing, install, cfg, findings)
	checkGuards(set, install, existing, before, findings)
	if !cfg.TakenOver {
		findings.Add(finding.About(finding.Error, finding.TakenOverNotSaid, "", existing.At, "", "cleanup needs "+
			"takenOver: true, which says that you have seen the label fluxcd.controlplane.io/name on the root, the "+
			"source and the Flux objects of the cluster (a Ready FluxInstance is not enough); check with").
			With(instance.OwnerCommands(install, existing.Adopts())...))
	}
	if findings.Failed() {
		return
	}
	removed, shaping := removals(install, existing, set), shapingFolders(set, install)
	repairReferences(set, install, removed, findings)
	removed = sharing{set, others}.leaveToOthers(install, removed, findings)
	for _, o := range removed {
		set.Remove(o)
	}
	for _, o := range removed {
		if o.File != "" && len(set.InFile(o.File)) == 0 {
			if err := dropEntry(set, o.File); err != nil {
				findings.Error(finding.CannotBeEdited, o, "", "the entry for the removed file cannot be dropped: %s",
					err)
			}
		}
	}
	if err := dropPlaceholder(set, install); err != nil {
		findings.Error(finding.CannotBeEdited, install.Anchor, "resources", "the entry for %s cannot be dropped: %s",
			install.Placeholder, err)
	}
	if install.RemoteBase && install.Unseen() && install.Folder != nil {
		if err := dropRemoteBase(set, install.Folder.Object); err != nil {
			findings.Error(finding.CannotBeEdited, install.Anchor, "resources",
				"the remote base cannot be dropped: %s", err)
		}
	}
	trimFolders(set, install, shaping, findings)
	if inv := before.of[install]; inv != nil {
		tellHazards(set, inv, findings)
	}
	if !findings.Failed() {
		instance.GuideCleanup(install, before.unpruned(install, removed), findings)
	}
}

// unpruned are those of the Flux Kustomizations and the source of an install that stay on the cluster when they leave
// Git, because no Flux Kustomization that applies them prunes.
func (a applied) unpruned(install *classic.Install, removed []*object.Object) []*object.Object {
	var all []*object.Object
	for _, o := range removed {
		entries := a.entries(install, o)
		pruned := func(e inventory.Entry) bool {
			owner, found := a.of[install].Owner(e.Owner)
			return !found || owner.Prune
		}
		if install.Goes(o) && len(entries) > 0 && !slices.ContainsFunc(entries, pruned) {
			all = append(all, o)
		}
	}
	return all
}

// removals are the objects of the classic install, its volume claim and the pair where Flux Operator generates it, and
// the one-shot bootstrap.
func removals(install *classic.Install, existing *instance.Existing, set *object.Set) []*object.Object {
	removed := append(takenClaim(set, install, existing), install.Objects...)
	if existing.Adopts() {
		removed = append(removed, install.Pair.Source, install.Pair.Root)
	}
	return append(removed, install.Bootstrap...)
}

// checkGuards refuses a cleanup whose deletions nothing holds back, as Flux applies what is to go.
func checkGuards(set *object.Set, install *classic.Install, existing *instance.Existing, before applied,
	findings *finding.List) {
	for _, g := range before.unguarded(set, install, existing, existing.Adopts()) {
		if g.second != nil {
			findings.Warn(finding.SecondDefinition, g.object, g.field, "%s", g.secondly())
			continue
		}
		guard, is, remedy := "the guard", "missing", "run the phase deploy, push it, and wait until it is live"
		if g.field == "metadata.annotations" {
			guard += " " + instance.PruneKey + ": " + instance.Disabled
		}
		if g.undone != "" {
			is, remedy = "undone by "+g.undone, "take that out, push it, and wait until the guard is live"
		}
		findings.Error(finding.GuardMissing, g.object, g.field, "%s of the phase deploy is %s: without it %s; %s",
			guard, is, g.risk(), remedy)
	}
}

// dropPlaceholder removes the file that stands for the manifests.
func dropPlaceholder(set *object.Set, install *classic.Install) error {
	if install.Placeholder == "" {
		return nil
	}
	set.RemoveFile(install.Placeholder)
	return dropEntry(set, install.Placeholder)
}

// dropRemoteBase takes flux2's manifests out of a kustomization.yaml.
func dropRemoteBase(set *object.Set, k *object.Object) error {
	if _, err := dropFrom(k, classic.IsRemoteBase); err != nil {
		return err
	}
	if !appliesNothing(k) {
		return nil
	}
	set.Remove(k)
	return dropEntry(set, path.Dir(k.File))
}

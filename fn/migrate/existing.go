package migrate

import (
	"fmt"
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/inventory"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/shell"
)

// ExistingInstance is the FluxInstance of a cluster, nil when the input has none.
func ExistingInstance(set *object.Set, install *classic.Install, cfg config.Config) *instance.Existing {
	if all := existingInstances(set, install, cfg); len(all) > 0 {
		return all[0]
	}
	return nil
}

// existingInstances are all that define the FluxInstance of a cluster: first those that sync its path or the one that
// the root moves to, then those that lie below it and sync no cluster's path.
func existingInstances(set *object.Set, install *classic.Install, cfg config.Config) []*instance.Existing {
	var syncing, below []*instance.Existing
	for _, e := range instance.ExistingsIn(set, install.Namespace) {
		switch at := syncPath(e); {
		case at != "" && (at == install.Pair.Path || at == install.Pair.NewPath(cfg)):
			syncing = append(syncing, e)
		case belongs(set, e.At, install) && !syncs(set, at):
			below = append(below, e)
		}
	}
	return append(syncing, below...)
}

// syncPath is the path that a FluxInstance syncs, empty where it syncs none.
func syncPath(e *instance.Existing) string {
	if at := e.Str("spec", "sync", "path"); at != "" {
		return classic.CleanPath(at)
	}
	return ""
}

// syncs reports whether a Flux Kustomization applies a path.
func syncs(set *object.Set, at string) bool {
	return at != "" && slices.ContainsFunc(set.Of(classic.KustomizeGroup, "Kustomization"),
		func(k *object.Object) bool {
			return classic.CleanPath(k.Str("spec", "path")) == at
		})
}

// belongs reports whether a FluxInstance lies in the sync path of a cluster, or is applied from its source by what
// does: the Flux Kustomization of an artifact has the path ./ too, and applies nothing of the repository.
func belongs(set *object.Set, o *object.Object, install *classic.Install) bool {
	if o.File == "" {
		return true
	}
	if object.Within(path.Dir(o.File), install.Pair.Dir()) {
		return true
	}
	for _, k := range set.Of(classic.KustomizeGroup, "Kustomization") {
		if !object.Within(k.File, install.Pair.Dir()) { // as of most, where there are many clusters
			continue
		}
		applies := object.Within(path.Join(install.Pair.Prefix, path.Dir(o.File)),
			classic.CleanPath(k.Str("spec", "path")))
		if applies && install.Pair.Syncs(set, k) {
			return true
		}
	}
	return false
}

// checkExisting looks at a FluxInstance that is already there. It is its owner's and never overwritten, but one that
// would make Flux Operator delete something is refused.
func checkExisting(set *object.Set, existing *instance.Existing, install *classic.Install, cfg config.Config,
	findings *finding.List) {
	if checkForm(set, existing, install, cfg, findings); findings.Failed() {
		return
	}
	if existing.ID().Namespace != install.Namespace {
		findings.Error(finding.WrongNamespace, existing.At, "metadata.namespace",
			"the FluxInstance is not in %s, where Flux runs: Flux Operator would install a second Flux",
			install.Namespace)
		return
	}
	rendered, err := instance.Render(existing.Instance)
	if err != nil {
		findings.Error(finding.InstanceRefused, existing.At, existing.Field("spec"),
			"Flux Operator would refuse this FluxInstance: %s", err)
		return
	}
	checkExistingVersion(existing, install, findings)
	checkExistingPath(existing, install, cfg, findings)
	have := map[flux.ID]bool{}
	for _, node := range rendered {
		have[flux.IDOf(node)] = true
	}
	for _, component := range install.Options.Components {
		id := flux.ID{Group: "apps", Kind: "Deployment", Namespace: install.Namespace, Name: component}
		if !have[id] && installs(install, existing, component) {
			findings.Error(finding.ComponentMissing, existing.At, existing.Field("spec.components"),
				"%s is missing, which the classic install runs: its CRDs and all their objects would be deleted; add "+
					"it", component)
		}
	}
	if existing.Adopts() {
		checkAdopts(existing, install, have, findings)
		checkRestated(existing, install, rendered, findings)
	} else {
		checkForgotten(existing, install, findings)
	}
}

// checkForgotten refuses a FluxInstance that has lost its spec.sync since deploy: the API server takes that, and Flux
// Operator then deletes the pair that it generated. What tells is what deploy writes for a pair that is taken over, and
// for no other: the patches that restate it, and the guard beside it. Source: MIGRATION facts 1.4, row K2.
func checkForgotten(existing *instance.Existing, install *classic.Install, findings *finding.List) {
	const words = "spec.sync is gone from the FluxInstance, which says of the sync pair that Flux Operator generates " +
		"it (%s): it deletes what it no longer generates, and with %s the cluster syncs nothing any more; restore " +
		"spec.sync, and where the source is gone from the cluster already, nothing fetches that from Git: apply the " +
		"file by hand as well: %s"
	byHand := shell.Run("kubectl", "-n", install.Namespace, "apply", "--filename", shell.Filename(existing.At.File))
	patches, _ := object.Get[[]any](existing.Instance, "spec", "kustomize", "patches")
	for n, entry := range patches {
		patch, _ := entry.(map[string]any)
		kind, _ := object.Get[string](patch, "target", "kind")
		if kind == install.Pair.Root.Kind || kind == install.Pair.Source.Kind {
			findings.Error(finding.SyncRemoved, existing.At, existing.Field("spec.sync"),
				words, fmt.Sprintf("spec.kustomize.patches[%d] "+
					"is for a %s", n, kind), install.Pair.Source.ID, byHand)
			return
		}
	}
	if root := install.Pair.Root; strings.Contains(root.Text(), guardLine) {
		findings.Error(finding.SyncRemoved, existing.At, existing.Field("spec.sync"),
			words, "the guard on "+root.ID.String()+" is for that",
			install.Pair.Source.ID, byHand)
	}
}

// checkForm refuses a FluxInstance with two owners, one in the other form than the config asks for, and values that
// hide it.
func checkForm(set *object.Set, existing *instance.Existing, install *classic.Install, cfg config.Config,
	findings *finding.List) {
	for _, other := range existingInstances(set, install, cfg) {
		if other.Form != existing.Form && other.ID().Name == existing.ID().Name {
			findings.Error(finding.InstanceDefinedTwice, other.At, "", "%s and this define one FluxInstance: "+
				"dropping either uninstalls Flux; keep one owner. To keep the HelmRelease, annotate %s with %s: "+
				"disabled, wait until that is live, and remove it. To keep the FluxInstance, set commonAnnotations "+
				"{helm.sh/resource-policy: keep} in the values of the HelmRelease, wait until that release is live, "+
				"and remove it from Git, from the healthChecks of what applies it, and from the cluster",
				existing.At.ID, existing.At.ID, instance.PruneKey)
			return
		}
	}
	if cfg.Instance.Form != "" && cfg.Instance.Form != existing.Form {
		findings.Error(finding.FormDiffers, existing.At, "", "config field instance.form: %s, and the input has the "+
			"FluxInstance as %s: leave the field out to finish the migration as it is, and switch later: %s",
			cfg.Instance.Form, existing.Form, switchForm(existing, install))
		return
	}
	if existing.Err != nil {
		findings.Error(finding.InstanceUnknown, existing.At, "spec.values", "the FluxInstance of this HelmRelease is "+
			"not known: %s", existing.Err)
		return
	}
	for _, value := range existing.Ignored {
		findings.Warn(finding.SettingWithoutEffect, existing.At, "spec.values."+value,
			"the chart flux-instance takes no notice of this value: it is not in the FluxInstance")
	}
	if !existing.Kept() {
		findings.Warn(finding.HelmKeep, existing.At, "spec.values.commonAnnotations",
			"without helm.sh/resource-policy: keep, removing this HelmRelease uninstalls Flux: add it")
	}
}

// switchForm is how the FluxInstance gets another owner without leaving the cluster.
func switchForm(existing *instance.Existing, install *classic.Install) string {
	const policy, chart = "helm.sh/resource-policy", flux.InstanceChart
	if existing.Form == config.HelmRelease {
		return fmt.Sprintf("set commonAnnotations {%s: keep} in the values and wait until that release is live, "+
			"because Helm looks at its release and not at the cluster; then remove the HelmRelease from Git and "+
			"delete it (%s), which leaves the FluxInstance; then add the FluxInstance to Git",
			policy, shell.Run("kubectl", "-n", install.Namespace, "delete", "helmrelease/"+existing.At.Name))
	}
	ns, name := install.Namespace, "fluxinstance/"+existing.ID().Name
	take := shell.And(shell.Run("kubectl", "-n", ns, "annotate", "--overwrite", name, "meta.helm.sh/release-name="+
		chart,
		"meta.helm.sh/release-namespace="+ns),
		shell.Run("kubectl", "-n", ns, "label", name, "app.kubernetes.io/managed-by=Helm", "--overwrite"))
	return fmt.Sprintf("annotate the FluxInstance with %s: disabled and wait until that is live; remove it from Git, "+
		"which leaves it on the cluster; let Helm take it over (%s); then add the HelmRelease %s with the same "+
		"instance and commonAnnotations {%s: keep}", instance.PruneKey, take, chart, policy)
}

// checkAdopts refuses a FluxInstance that generates a pair under other names than the live one, whose namespace may
// come from a kustomization.yaml. What helps before the FluxInstance is on the cluster deletes afterwards: Flux
// Operator deletes a pair that it no longer generates. Source: MIGRATION facts 12.
func checkAdopts(existing *instance.Existing, install *classic.Install, have map[flux.ID]bool, findings *finding.List) {
	var other []string
	field := ""
	for _, o := range []*object.Object{install.Pair.LiveSource, install.Pair.LiveRoot} {
		if have[flux.ID{Group: o.Group(), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}] {
			continue
		}
		other = append(other, o.ID.String())
		if field == "" {
			field = map[bool]string{true: "spec.kustomize.patches", false: "spec.sync.name"}[o == install.Pair.LiveRoot]
		}
	}
	if len(other) == 0 {
		return
	}
	pair, guard := install.Pair, "deletionPolicy: Orphan"
	if !inventory.HasDeletionPolicy(classic.KustomizeGroup+"/v1", install.Version.Release) {
		guard = "prune: false"
	}
	findings.Error(finding.SecondSyncPair, existing.At, existing.Field(field),
		"the FluxInstance does not generate %s, which %s this cluster: Flux Operator adds a second pair beside it. "+
			"Where the cluster does not have this FluxInstance yet (%s finds none), set %s before it does. Where it "+
			"does, leave these fields as they are: Flux Operator deletes a pair that it no longer generates, and with "+
			"it all that the pair applied. Then set %s on %s in Git, and on the Kustomization that it generates by a "+
			"patch in spec.kustomize.patches; push that, and wait until both have it; let what names %s name the "+
			"generated source; only then take the old pair out of Git",
		strings.Join(other, " and "), map[bool]string{true: "syncs", false: "sync"}[len(other) == 1],
		shell.Run("kubectl", "-n", install.Namespace, "get", "fluxinstance/"+existing.ID().Name), adoption(pair),
		guard, pair.LiveRoot.ID, pair.LiveSource.ID)
}

// adoption is what makes a FluxInstance generate a pair.
func adoption(pair classic.Pair) string {
	set := "spec.sync.name: " + pair.LiveSource.Name
	if pair.LiveRoot.Name != pair.LiveSource.Name {
		set += " and the patch that renames the Kustomization to " + pair.LiveRoot.Name
	}
	return set
}

// installs reports whether the classic install runs a component, that is whether no patch deletes its Deployment. Where
// the release that runs has no manifests, the FluxInstance upgrades from it, and those of its own release tell.
func installs(install *classic.Install, existing *instance.Existing, component string) bool {
	today, err := install.Base(install.Options.Version)
	if target, unknown := flux.Latest(existing.Str("spec", "distribution", "version")); err != nil && unknown == nil {
		today, err = install.Base(target.String())
	}
	if err != nil {
		return true
	}
	patched, err := instance.Shape(install, today)
	if err != nil {
		return true
	}
	for _, node := range patched {
		if node.GetKind() == "Deployment" && node.GetName() == component {
			return true
		}
	}
	return false
}

// checkExistingVersion refuses a FluxInstance that would downgrade Flux: nothing else does on the first take-over.
func checkExistingVersion(existing *instance.Existing, install *classic.Install, findings *finding.List) {
	version := existing.Str("spec", "distribution", "version")
	target, err := flux.Latest(version)
	running := install.Version.Release
	if err == nil && (target.Major() < running.Major() || target.Major() == running.Major() &&
		target.Minor() < running.Minor()) {
		findings.Error(finding.Downgrade, existing.At, existing.Field("spec.distribution.version"),
			"%s means Flux %s, lower than the %s that runs: a downgrade is refused; set it to %s or higher",
			version, target, running, install.Version.MinorRange())
	}
}

// checkExistingPath refuses to go on where the FluxInstance syncs another path than the config says: the root moves
// with the take-over or not at all.
func checkExistingPath(existing *instance.Existing, install *classic.Install, cfg config.Config,
	findings *finding.List) {
	at, to := syncPath(existing), install.Pair.NewPath(cfg)
	switch {
	case to != "" && at != to:
		findings.Error(finding.SyncPathDiffers, existing.At, existing.Field("spec.sync.path"),
			"config field sync.path is %s, and this FluxInstance does not sync that: the root moves with the "+
				"take-over or not at all; leave the config field out", shown(to))
	case at != "" && at != to && at != install.Pair.Path:
		findings.Error(finding.SyncPathDiffers, existing.At, existing.Field("spec.sync.path"),
			"the FluxInstance syncs %s, and %s syncs %s: set the config field sync.path to %s if the phase deploy "+
				"moved the root there; else correct the FluxInstance, before the cluster has it: after that, a root with "+
				"another path prunes what only the old one applies",
			shown(at), install.Pair.Root.ID, shown(install.Pair.Path), shown(at))
	}
}

// checkRestated warns about fields of the live pair that the FluxInstance does not state: Flux Operator has dropped
// them.
func checkRestated(existing *instance.Existing, install *classic.Install, rendered []*kyaml.RNode,
	findings *finding.List) {
	pair, err := classic.Nodes([]*object.Object{install.Pair.LiveSource, install.Pair.LiveRoot})
	if err != nil {
		return
	}
	own := map[flux.ID]bool{flux.IDOf(pair[0]): true, flux.IDOf(pair[1]): true}
	rendered = slices.DeleteFunc(slices.Clone(rendered), func(node *kyaml.RNode) bool { return !own[flux.IDOf(node)] })
	differences, _, err := flux.Compare(pair, rendered)
	if err != nil || len(rendered) != len(pair) {
		return
	}
	for _, d := range differences {
		if strings.HasPrefix(d.Path, "spec.") && d.Operator == nil && d.Classic != false &&
			!strings.HasPrefix(d.Path, "spec.ref") {
			findings.Warn(finding.NotRestated, existing.At, existing.Field("spec.kustomize.patches"),
				"%s says %s, and the FluxInstance does not: Flux Operator drops it from the cluster; restate it by a "+
					"patch, unless you mean it", d.Object, d.Path)
		}
	}
}

package instance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// renaming refuses what gives other names to the Flux Kustomizations that deploy adds.
const renaming = "%q renames all that the root applies, the new Kustomizations too, which then do not find each " +
	"other. Set prune: false on the root and on each Flux Kustomization that has the name, push, and wait until that " +
	"is applied: Flux deletes what such a Kustomization applied otherwise. Then take it out, apply what needs the " +
	"name with a Flux Kustomization of its own, and delete by hand what else is left under it"

// checkPair refuses a sync pair that Flux Operator cannot take over as it is, or that the new Kustomizations cannot be
// applied by.
func (p *Plan) checkPair(set *object.Set, findings *finding.List) {
	pair := p.Install.Pair
	for _, o := range []*object.Object{pair.LiveRoot, pair.LiveSource} {
		if o.Namespace != p.Install.Namespace {
			findings.Error(finding.WrongNamespace, o, "metadata.namespace", "the sync pair must be in %s, where Flux "+
				"runs: Flux Operator writes it there and nowhere else, and the new Kustomizations look for the "+
				"source there. To move it, set prune: false on the root first, push, and wait until that is applied: "+
				"the root in the old namespace deletes all that it applied otherwise; then change the namespace, and "+
				"once the root there is Ready, delete the old root and its source by hand", p.Install.Namespace)
		}
	}
	if _, remote := object.Get[any](pair.LiveRoot.Map(), "spec", "kubeConfig"); remote {
		findings.Error(finding.RemoteCluster, pair.Root, "spec.kubeConfig", "the root applies to another cluster, "+
			"and what it installs there is not the Flux that runs the root: give that cluster a root of its own "+
			"first, and set prune: false on this one, push, and wait until that is applied, before it goes")
	}
	if namespace := pair.LiveRoot.Str("spec", "targetNamespace"); namespace != "" && namespace != p.Install.Namespace {
		findings.Error(finding.NamespaceField, pair.Root, "spec.targetNamespace",
			"the root moves what it applies to %[1]s, the new Kustomizations too. Set prune: false on the root "+
				"first, push, and wait until that is applied: the root deletes what moves otherwise; then write the "+
				"namespace %[1]s into the objects, and remove the field", namespace)
	}
	for _, field := range []string{"namePrefix", "nameSuffix"} {
		if value := pair.LiveRoot.Str("spec", field); value != "" {
			findings.Error(finding.NamePrefix, pair.Root, "spec."+field, renaming, value)
		}
		for _, folder := range pair.Folders(set) {
			if value, _ := folder.Fields[field].(string); value != "" && folder.Dir == pair.Dir() {
				findings.Error(finding.NamePrefix, folder.Object, field, renaming, value)
			}
		}
	}
	if p.Config.Sync.Mode == config.Adopt && pair.LiveRoot.Str("spec", "path") == "" {
		findings.Info(finding.RootWithoutPath, finding.Moved, pair.Root, "spec.path",
			"the root has no path, which means ./: sync.path says so")
	}
}

// checkMove refuses to move the root where the files do not show everything that it applies.
func (p *Plan) checkMove(set *object.Set, findings *finding.List) {
	pair := p.Install.Pair
	if p.NewPath == "" {
		return
	}
	if !set.HasPaths() || pair.Prefix != "" || p.Config.Proof == config.Off {
		findings.Error(finding.RootCannotMove, pair.Root, "spec.path", "config field sync.path: the root can only "+
			"move where the proof shows that it applies the same from its new path: run on the root of the checkout, "+
			"with proof on")
	}
	if _, set := object.Get[[]any](pair.LiveRoot.Map(), "spec", "components"); set {
		findings.Error(finding.RootCannotMove, pair.Root, "spec.components",
			"config field sync.path: the components are paths from the sync path, and would be others from a new "+
				"one: list them in a kustomization.yaml first")
	}
}

// planSync maps the pair, unless it stays as it is.
func (p *Plan) planSync(_ *object.Set, findings *finding.List) {
	if p.Config.Sync.Mode == config.Keep {
		return
	}
	sync, err := syncOf(p.Install.Pair, p.NewPath, p.Operator.Supports)
	if err != nil {
		findings.Error(finding.UnsupportedField, p.Install.Pair.Root, "", "%s", err)
		return
	}
	p.Sync = sync
	for _, leaf := range sync.Source.Rest {
		findings.Warn(finding.UnknownField, p.Install.Pair.Source, leaf.Path,
			"unknown field of the sync pair: restated by a patch as it is")
	}
	for _, leaf := range sync.Root.Rest {
		findings.Warn(finding.UnknownField, p.Install.Pair.Root, leaf.Path, "unknown field of the sync pair: "+
			"restated by a patch as it is")
	}
}

// checkVariables refuses variables that go through other substitutions in the FluxInstance than they do today: through
// two, the root's and then the install's own; or through the root's, which does not reach what a child of it applies.
func (p *Plan) checkVariables(_ *object.Set, findings *finding.List) {
	install := p.Install
	_, byRoot := object.Get[any](install.Pair.LiveRoot.Map(), "spec", "postBuild")
	switch {
	case !byRoot:
	case install.Substitute != nil && hasVariables(p.shaped()):
		findings.Error(finding.VariableSubstitution, cmp.Or(install.Child, install.Owner), "spec.postBuild",
			"the ${variables} of the install go through the root's postBuild and then through its own, and the "+
				"FluxInstance can have one of the two: write the values out first")
	case install.Child != nil && install.Substitute == nil &&
		slices.ContainsFunc(install.Patches, isBelowWithVariables):
		findings.Error(finding.VariableSubstitution, install.Child, "spec.postBuild",
			"a patch in what it applies has a ${variable}, which nothing substitutes today, and the root's postBuild "+
				"would substitute it in the FluxInstance: remove the variable first")
	}
}

// isBelowWithVariables tells a patch of a kustomization.yaml that has a ${variable}.
func isBelowWithVariables(patch classic.Patch) bool {
	return patch.Object.Is(classic.ConfigGroup, "Kustomization") && strings.Contains(patch.Body, "${")
}

// checkUnread says which patches of a Flux Kustomization do nothing today, and so do not come along.
func (p *Plan) checkUnread(_ *object.Set, findings *finding.List) {
	for _, o := range []*object.Object{p.Install.Pair.Root, p.Install.Owner, p.Install.Child} {
		for _, field := range []string{"patchesStrategicMerge", "patchesJson6902"} {
			if o == nil || o == p.Install.Child && o == p.Install.Owner {
				continue
			}
			if list, _ := object.Get[[]any](o.Map(), "spec", field); len(list) > 0 {
				findings.Warn(finding.PatchWithoutEffect, o, "spec."+field, "left out: it is %s; to have these "+
					"patches back, add them to the FluxInstance", classic.Unread)
			}
		}
	}
}

// checkServed refuses an upgrade to a Flux that no longer serves an API version that the repository uses. The CRDs are
// of the release that the labels of the manifests say, whatever the images are.
func (p *Plan) checkServed(set *object.Set, findings *finding.List) {
	crds := p.Install.Version.Release
	if labels, err := semver.NewVersion(p.Install.Labels); err == nil {
		crds = labels
	}
	if target, err := semver.NewVersion(p.Target); err != nil || target.Minor() == crds.Minor() {
		return
	}
	unserved := unservedBy(p.Target, fluxObjects(set))
	if len(unserved) == 0 {
		return
	}
	remedy := p.versionServing(set)
	if crds.Minor() != p.Install.Version.Release.Minor() {
		remedy = fmt.Sprintf("; it works today because the CRDs in the manifests are those of Flux %s", crds)
	}
	for _, o := range unserved {
		findings.Error(finding.APIVersionNotServed, o, "apiVersion", "Flux %s serves no %s of %s, only %s: change "+
			"the version first%s", p.Target,
			o.Version(), o.Kind,
			strings.Join(flux.Served(p.Target, o.Group(), o.Kind), ", "), remedy)
	}
}

// fluxObjects are the objects of Flux in the repository, in an order that does not depend on that of the input.
func fluxObjects(set *object.Set) []*object.Object {
	all := slices.DeleteFunc(set.Current(), func(o *object.Object) bool {
		return !strings.HasSuffix(o.Group(),
			".toolkit.fluxcd.io")
	})
	slices.SortStableFunc(all, object.Compare)
	return all
}

// unservedBy are the objects in an API version that a release of Flux knows and does not serve.
func unservedBy(release string, objects []*object.Object) []*object.Object {
	served := map[object.ID][]string{}
	return slices.DeleteFunc(slices.Clone(objects), func(o *object.Object) bool {
		kind := object.ID{APIVersion: o.Group(), Kind: o.Kind}
		versions, known := served[kind]
		if !known {
			versions = flux.Served(release, o.Group(), o.Kind)
			served[kind] = versions
		}
		return len(versions) == 0 || slices.Contains(versions, o.Version())
	})
}

// versionServing says which Flux serves all that the repository has: the one that runs where Flux Operator has it, else
// the newest, else none.
func (p *Plan) versionServing(set *object.Set) string {
	if p.Operator.Runs(p.Install.Version.Release.String()) {
		return ", or stay on " + p.Install.Version.MinorRange()
	}
	if newest := p.newestServing(fluxObjects(set)); newest != "" {
		return fmt.Sprintf(", or set instance.version to %s, which serves all of this repository", newest)
	}
	return ""
}

// newestServing is the newest minor version, not below the one that runs, that Flux Operator carries and that serves
// all of some objects; it is empty where there is none.
func (p *Plan) newestServing(objects []*object.Object) string {
	for _, release := range slices.Backward(flux.Releases()) {
		if p.Operator.Runs(release.String()) && !release.LessThan(p.Install.Version.Release) &&
			len(unservedBy(release.String(), objects)) == 0 {
			return fmt.Sprintf("%d.%d.x", release.Major(), release.Minor())
		}
	}
	return ""
}

package migrate

import (
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
)

// existingInstance is the FluxInstance of a cluster, nil when the input has none: the one that syncs its path or the one
// that the root moves to, or one that lies below it and syncs no cluster's path.
func existingInstance(set *object.Set, install *classic.Install, cfg config.Config) *object.Object {
	all := set.Of(classic.OperatorGroup, "FluxInstance")
	for _, o := range all {
		if at := syncPath(o); at != "" && (at == install.Pair.Path || at == install.Pair.NewPath(cfg)) {
			return o
		}
	}
	for _, o := range all {
		if !syncs(set, syncPath(o)) && belongs(set, o, install) {
			return o
		}
	}
	return nil
}

// syncPath is the path that a FluxInstance syncs, empty where it syncs none.
func syncPath(o *object.Object) string {
	if at := o.Str("spec", "sync", "path"); at != "" {
		return classic.CleanPath(at)
	}
	return ""
}

// syncs tells whether a Flux Kustomization applies a path.
func syncs(set *object.Set, at string) bool {
	return at != "" && slices.ContainsFunc(set.Of(classic.KustomizeGroup, "Kustomization"), func(k *object.Object) bool {
		return classic.CleanPath(k.Str("spec", "path")) == at
	})
}

// belongs tells whether a FluxInstance lies in the sync path of a cluster, or is applied by what does.
func belongs(set *object.Set, o *object.Object, install *classic.Install) bool {
	if o.File == "" {
		return true
	}
	if object.Within(path.Dir(o.File), install.Pair.Dir()) {
		return true
	}
	for _, k := range set.Of(classic.KustomizeGroup, "Kustomization") {
		applies := object.Within(path.Join(install.Pair.Prefix, path.Dir(o.File)), classic.CleanPath(k.Str("spec", "path")))
		if applies && object.Within(path.Dir(k.File), install.Pair.Dir()) {
			return true
		}
	}
	return false
}

// checkExisting looks at a FluxInstance that is already there. It is its owner's and never overwritten, but one that would
// make Flux Operator delete something is refused.
func checkExisting(existing *object.Object, install *classic.Install, cfg config.Config, findings *finding.List) {
	if existing.Namespace != install.Namespace {
		findings.Error(existing, "metadata.namespace", "the FluxInstance is not in %s, where Flux runs: Flux Operator would install a second Flux", install.Namespace)
		return
	}
	rendered, err := instance.Render(existing.Map())
	if err != nil {
		findings.Error(existing, "spec", "Flux Operator would refuse this FluxInstance: %s", err)
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
		if !have[id] && installs(install, component) {
			findings.Error(existing, "spec.components", "%s is missing, which the classic install runs: its CRDs and all their objects would be deleted; add it", component)
		}
	}
	if adopts(existing) {
		checkAdopts(existing, install, have, findings)
		checkRestated(existing, install, rendered, findings)
	}
}

// checkAdopts refuses a FluxInstance that generates a pair under other names than the live one.
func checkAdopts(existing *object.Object, install *classic.Install, have map[flux.ID]bool, findings *finding.List) {
	for _, o := range []*object.Object{install.Pair.Source, install.Pair.Root} {
		if have[flux.ID{Group: o.Group(), Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}] {
			continue
		}
		field := "spec.sync.name"
		if o == install.Pair.Root {
			field = "spec.kustomize.patches"
		}
		findings.Error(existing, field, "the FluxInstance does not generate %s, which syncs this cluster: Flux Operator would add a second root, and "+
			"deleting the old one deletes everything it applied; restore spec.sync.name and the patch that renames the Kustomization", o.ID)
	}
}

// installs tells whether the classic install runs a component, that is whether no patch deletes its Deployment.
func installs(install *classic.Install, component string) bool {
	today, err := install.Base(install.Options.Version)
	if err != nil {
		return true
	}
	patched, err := flux.Patch(today, instance.WithoutSchemas(install))
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
func checkExistingVersion(existing *object.Object, install *classic.Install, findings *finding.List) {
	version := existing.Str("spec", "distribution", "version")
	target, err := flux.Latest(version)
	running := install.Version.Release
	if err == nil && (target.Major() < running.Major() || target.Major() == running.Major() && target.Minor() < running.Minor()) {
		findings.Error(existing, "spec.distribution.version", "%s means Flux %s, lower than the %s that runs: a downgrade is refused; set it to %s or higher",
			version, target, running, install.Version.MinorRange())
	}
}

// checkExistingPath refuses to go on where the FluxInstance syncs another path than the config says: the root moves with the
// take-over or not at all.
func checkExistingPath(existing *object.Object, install *classic.Install, cfg config.Config, findings *finding.List) {
	at, to := syncPath(existing), install.Pair.NewPath(cfg)
	switch {
	case to != "" && at != to:
		findings.Error(existing, "spec.sync.path", "config field sync.path is %s, and this FluxInstance does not sync that: the root moves with the take-over or "+
			"not at all; leave the config field out", shown(to))
	case at != "" && at != to && at != install.Pair.Path:
		findings.Error(existing, "spec.sync.path", "the FluxInstance syncs %s, and %s syncs %s: set the config field sync.path to %s if the phase deploy moved "+
			"the root there, or repair the FluxInstance", shown(at), install.Pair.Root.ID, shown(install.Pair.Path), shown(at))
	}
}

// checkRestated warns about fields of the live pair that the FluxInstance does not state: Flux Operator has dropped them.
func checkRestated(existing *object.Object, install *classic.Install, rendered []*kyaml.RNode, findings *finding.List) {
	pair, err := classic.Nodes([]*object.Object{install.Pair.LiveSource, install.Pair.LiveRoot})
	if err != nil {
		return
	}
	own := map[flux.ID]bool{flux.IDOf(pair[0]): true, flux.IDOf(pair[1]): true}
	rendered = slices.DeleteFunc(slices.Clone(rendered), func(node *kyaml.RNode) bool { return !own[flux.IDOf(node)] })
	differences, err := flux.Compare(pair, rendered)
	if err != nil || len(rendered) != len(pair) {
		return
	}
	for _, d := range differences {
		if strings.HasPrefix(d.Path, "spec.") && d.Operator == nil && !strings.HasPrefix(d.Path, "spec.ref") {
			findings.Warn(existing, "spec.kustomize.patches", "%s says %s, and the FluxInstance does not: Flux Operator drops it from the cluster; restate it by a patch, unless you mean it",
				d.Object, d.Path)
		}
	}
}

package instance

import (
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// checkPair refuses a sync pair that Flux Operator cannot take over as it is.
func (p *Plan) checkPair(_ *object.Set, findings *finding.List) {
	pair := p.Install.Pair
	if p.Config.Instance.Form == config.HelmRelease {
		findings.Error(nil, "", "config field instance.form: HelmRelease is not supported by this release; use FluxInstance, which says more: the chart has no "+
			"wait, migrateResources and sharding.storage, and ignores keys that it does not know")
	}
	for _, o := range []*object.Object{pair.LiveRoot, pair.LiveSource} {
		if o.Namespace != p.Install.Namespace {
			findings.Error(o, "metadata.namespace", "the sync pair must be in %s, where Flux runs: Flux Operator writes it there and nowhere else; "+
				"move it first, or use sync.mode keep", p.Install.Namespace)
		}
	}
	if p.Config.Sync.Mode == config.Keep {
		return
	}
	if namespace := pair.LiveRoot.Str("spec", "targetNamespace"); namespace != "" && namespace != p.Install.Namespace {
		findings.Error(pair.Root, "spec.targetNamespace", "the root moves what it applies to %s, the new Kustomizations too: remove it first", namespace)
	}
	if pair.LiveRoot.Str("spec", "path") == "" {
		findings.Info(finding.Moved, pair.Root, "spec.path", "the root has no path, which means ./: sync.path says so")
	}
}

// planSync maps the pair.
func (p *Plan) planSync(_ *object.Set, findings *finding.List) {
	if p.Config.Sync.Path != "" {
		findings.Error(p.Install.Pair.Root, "spec.path", "config field sync.path: moving the root path is refused in the same commit; migrate first")
		return
	}
	sync, err := syncOf(p.Install.Pair, p.Operator.Supports)
	if err != nil {
		findings.Error(p.Install.Pair.Root, "", "%s", err)
		return
	}
	p.Sync = sync
	for _, leaf := range append(sync.Source.Rest, sync.Root.Rest...) {
		findings.Warn(p.Install.Pair.Root, leaf.Path, "unknown field of the sync pair: restated by a patch as it is")
	}
}

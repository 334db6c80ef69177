package instance

import (
	"path"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/object"
)

// kustomizations are the two Flux Kustomizations: Flux Operator first, then, once its CRDs exist, the FluxInstance.
func (p *Plan) kustomizations() []*kyaml.Node {
	if p.External {
		return []*kyaml.Node{p.instanceKustomization()}
	}
	return []*kyaml.Node{p.operatorKustomization(), p.instanceKustomization()}
}

func (p *Plan) operatorKustomization() *kyaml.Node {
	spec := append(p.kustomizationSpec("operator"), object.F("wait", true))
	if values := p.OperatorValues(); values != nil {
		if postBuild := p.substitution(values); postBuild != nil {
			spec = append(spec, object.F("postBuild", postBuild))
		}
	}
	return p.fluxKustomization(p.operatorKustomizationName(), spec)
}

func (p *Plan) instanceKustomization() *kyaml.Node {
	spec := p.kustomizationSpec("instance")
	if !p.External {
		spec = append(spec, object.F("dependsOn",
			[]*kyaml.Node{object.Map(object.F("name", p.operatorKustomizationName()))}))
	}
	if p.asRelease() {
		spec = append(spec, object.Because("The HelmRelease is ready once the FluxInstance exists: this waits for "+
			"Flux itself.", "healthChecks", p.healthChecks()))
	} else {
		spec = append(spec, object.F("wait", true))
	}
	if p.healthExpressions() {
		spec = append(spec, object.Because("Without these a new FluxInstance, which has no status yet, counts as "+
			"healthy.",
			"healthCheckExprs", []*kyaml.Node{healthCheck()}))
	}
	if postBuild := p.substitution(p.shaped()); postBuild != nil {
		spec = append(spec, object.F("postBuild", postBuild))
	}
	return p.fluxKustomization(p.instanceKustomizationName(), spec)
}

// kustomizationSpec is what both have in common. A failed reconciliation is tried again soon: Flux would otherwise wait
// for the interval, and time out no sooner.
func (p *Plan) kustomizationSpec(dir string) []object.Field {
	spec := []object.Field{
		object.F("interval", "1h"),
		object.F("retryInterval", "1m"),
		object.F("timeout", "5m"),
		object.F("path", "./"+path.Join(p.SyncDir, dir)),
		object.Because("Removing these files must not uninstall Flux.", "prune", false),
		object.F("sourceRef", reference(p.Install.Pair.Source.Kind, p.Install.Pair.LiveSource.Name)),
	}
	if account := p.Install.Pair.LiveRoot.Str("spec", "serviceAccountName"); account != "" {
		spec = append(spec, object.F("serviceAccountName", account))
	}
	return spec
}

func (p *Plan) fluxKustomization(name string, spec []object.Field) *kyaml.Node {
	return object.Map(
		object.F("apiVersion", p.serves(classic.KustomizeGroup, "Kustomization")),
		object.F("kind", "Kustomization"),
		object.F("metadata", p.metadata(name)),
		object.F("spec", object.Map(spec...)))
}

// healthChecks name the release and what it renders, which Flux does not apply itself and can look at all the same.
// Source: kustomize-controller v1.7.3, checkHealth.
func (p *Plan) healthChecks() []*kyaml.Node {
	check := func(apiVersion, kind, name string) *kyaml.Node {
		return object.Map(object.F("apiVersion", apiVersion), object.F("kind", kind), object.F("name", name),
			object.F("namespace", p.Install.Namespace))
	}
	return []*kyaml.Node{check(p.serves(classic.HelmGroup, "HelmRelease"), "HelmRelease", p.releaseName(instanceName)),
		check(classic.OperatorGroup+"/v1", "FluxInstance", fluxName)}
}

// healthExpressions reports whether the running Flux has spec.healthCheckExprs: since Flux 2.5.
func (p *Plan) healthExpressions() bool { return p.Install.Version.Release.Minor() >= 5 }

func healthCheck() *kyaml.Node {
	condition := func(kind string) string {
		return "status.conditions.exists(c, c.type == '" + kind + "' && c.status == 'True' && c.observedGeneration " +
			"== metadata.generation)"
	}
	return object.Map(
		object.F("apiVersion", classic.OperatorGroup+"/v1"),
		object.F("kind", "FluxInstance"),
		object.F("current", condition("Ready")),
		object.F("failed", condition("Stalled")))
}

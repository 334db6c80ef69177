package instance

import (
	"path"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// chartRepository holds the Helm charts of Flux Operator. Source: Flux Operator documentation, installation with Helm.
const chartRepository = "oci://ghcr.io/controlplaneio-fluxcd/charts"

// keepComment stands above the guard on what must outlive its removal from Git.
const keepComment = "Removing this file must not uninstall Flux."

// serves picks the newest API version of a kind that the running Flux serves: deploy is applied by it, not by the release
// that Flux Operator will install.
func (p *Plan) serves(group, kind string) string {
	served := flux.Served(p.Install.Version.Release.String(), group, kind)
	for _, version := range []string{"v1", "v2", "v1beta2", "v2beta2", "v2beta1", "v1beta1"} {
		if slices.Contains(served, version) {
			return group + "/" + version
		}
	}
	return group + "/v1"
}

// chartRefs tells whether the running Flux takes a Helm chart from an OCIRepository: since Flux 2.3.
func (p *Plan) chartRefs() bool { return p.Install.Version.Release.Minor() >= 3 }

func (p *Plan) operatorFiles() []file {
	return []file{
		{"operator/source.yaml", []*kyaml.Node{p.chartSource()}},
		{"operator/helmrelease.yaml", []*kyaml.Node{p.helmRelease()}},
	}
}

func (p *Plan) chartSource() *kyaml.Node {
	if !p.chartRefs() {
		return object.Map(
			object.F("apiVersion", p.serves(classic.SourceGroup, "HelmRepository")),
			object.F("kind", "HelmRepository"),
			object.F("metadata", p.metadata(operatorName, object.Because(keepComment, PruneKey, Disabled))),
			object.F("spec", object.Map(
				object.F("type", "oci"),
				object.F("interval", "1h"),
				object.F("url", chartRepository),
			)))
	}
	return object.Map(
		object.F("apiVersion", p.serves(classic.SourceGroup, "OCIRepository")),
		object.F("kind", "OCIRepository"),
		object.F("metadata", p.metadata(operatorName, object.Because(keepComment, PruneKey, Disabled))),
		object.F("spec", object.Map(
			object.F("interval", "1h"),
			object.F("layerSelector", object.Map(
				object.F("mediaType", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
				object.F("operation", "copy"),
			)),
			object.F("ref", object.Map(object.F("tag", p.Operator.Version.String()))),
			object.F("url", chartRepository+"/"+operatorName),
		)))
}

func (p *Plan) helmRelease() *kyaml.Node {
	spec := []object.Field{object.F("interval", "1h")}
	if p.chartRefs() {
		spec = append(spec, object.F("chartRef", reference("OCIRepository", operatorName)))
	} else {
		spec = append(spec, object.F("chart", object.Map(object.F("spec", object.Map(
			object.F("chart", operatorName),
			object.F("version", p.Operator.Version.String()),
			object.F("sourceRef", reference("HelmRepository", operatorName)),
		)))))
	}
	if account := p.helmAccount(); account != "" {
		spec = append(spec, object.F("serviceAccountName", account))
	}
	spec = append(spec,
		object.F("install", object.Map(object.F("remediation", object.Map(object.F("retries", 3))))),
		object.F("upgrade", object.Map(object.F("remediation", object.Map(object.F("retries", 3))))),
	)
	if len(p.Config.Operator.Values) > 0 {
		spec = append(spec, object.F("values", p.Config.Operator.Values))
	}
	return object.Map(
		object.F("apiVersion", p.serves(classic.HelmGroup, "HelmRelease")),
		object.F("kind", "HelmRelease"),
		object.F("metadata", p.metadata(operatorName, object.Because(keepComment, PruneKey, Disabled))),
		object.F("spec", object.Map(spec...)))
}

// helmAccount is the service account for the HelmRelease where the controllers are locked down to a default account that
// may not install an operator; the root says so by naming an account of its own.
// Source: Flux documentation, multi-tenancy lockdown.
func (p *Plan) helmAccount() string {
	if p.Install.Pair.LiveRoot.Str("spec", "serviceAccountName") == "" {
		return ""
	}
	return "helm-controller"
}

func reference(kind, name string) *kyaml.Node {
	return object.Map(object.F("kind", kind), object.F("name", name))
}

// kustomizations are the two Flux Kustomizations: Flux Operator first, then, once its CRDs exist, the FluxInstance.
func (p *Plan) kustomizations() []*kyaml.Node {
	if p.External {
		return []*kyaml.Node{p.instanceKustomization()}
	}
	return []*kyaml.Node{p.operatorKustomization(), p.instanceKustomization()}
}

func (p *Plan) operatorKustomization() *kyaml.Node {
	spec := append(p.kustomizationSpec("operator"), object.F("wait", true))
	return p.fluxKustomization(operatorName, spec)
}

func (p *Plan) instanceKustomization() *kyaml.Node {
	spec := p.kustomizationSpec("instance")
	if !p.External {
		spec = append(spec, object.F("dependsOn", []*kyaml.Node{object.Map(object.F("name", operatorName))}))
	}
	spec = append(spec, object.F("wait", true))
	if p.healthExpressions() {
		spec = append(spec, object.Because("Without these a new FluxInstance, which has no status yet, counts as healthy.",
			"healthCheckExprs", []*kyaml.Node{healthCheck()}))
	}
	if postBuild := p.substitution(); postBuild != nil {
		spec = append(spec, object.F("postBuild", postBuild))
	}
	return p.fluxKustomization(instanceName, spec)
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

// healthExpressions tells whether the running Flux has spec.healthCheckExprs: since Flux 2.5.
func (p *Plan) healthExpressions() bool { return p.Install.Version.Release.Minor() >= 5 }

func healthCheck() *kyaml.Node {
	condition := func(kind string) string {
		return "status.conditions.exists(c, c.type == '" + kind + "' && c.status == 'True' && c.observedGeneration == metadata.generation)"
	}
	return object.Map(
		object.F("apiVersion", classic.OperatorGroup+"/v1"),
		object.F("kind", "FluxInstance"),
		object.F("current", condition("Ready")),
		object.F("failed", condition("Stalled")))
}

package instance

import (
	"cmp"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
)

// keepComment stands above the guard on what must outlive its removal from Git.
const keepComment = "Removing this file must not uninstall Flux."

// serves picks the newest API version of a kind that the running Flux serves: deploy is applied by it, not by the
// release that Flux Operator will install.
func (p *Plan) serves(group, kind string) string {
	served := flux.Served(p.Install.Version.Release.String(), group, kind)
	for _, version := range []string{"v1", "v2", "v1beta2", "v2beta2", "v2beta1", "v1beta1"} {
		if slices.Contains(served, version) {
			return group + "/" + version
		}
	}
	return group + "/v1"
}

// chartRefs reports whether the running Flux takes a Helm chart from an OCIRepository: since Flux 2.3.
func (p *Plan) chartRefs() bool { return p.Install.Version.Release.Minor() >= 3 }

// release is a HelmRelease of one of Flux Operator's charts, which are versioned as Flux Operator is.
type release struct {
	// chart is the name of the chart; its source and the HelmRelease go by the same unless the config says otherwise.
	chart string
	// annotations are further annotations of the HelmRelease.
	annotations []object.Field
	// spec are the fields between the chart and the values.
	spec []object.Field
	// values is nil where those of the chart do.
	values *kyaml.Node
}

// releaseName is the name of the HelmRelease of a chart, and of its source.
func (p *Plan) releaseName(chart string) string {
	if chart == flux.OperatorChart {
		return cmp.Or(p.Config.Operator.Release, chart)
	}
	return cmp.Or(p.Config.Instance.Release, chart)
}

// operatorKustomizationName and instanceKustomizationName are the names of the two new Flux Kustomizations.
func (p *Plan) operatorKustomizationName() string {
	return cmp.Or(p.Config.Operator.Kustomization, operatorName)
}

func (p *Plan) instanceKustomizationName() string {
	return cmp.Or(p.Config.Instance.Kustomization, instanceName)
}

// chartSource is where Flux gets the chart from, pinned to the version of Flux Operator where the source says the
// version.
func (p *Plan) chartSource(chart string) *kyaml.Node {
	if !p.chartRefs() {
		return object.Map(
			object.F("apiVersion", p.serves(classic.SourceGroup, "HelmRepository")),
			object.F("kind", "HelmRepository"),
			object.F("metadata", p.metadata(p.releaseName(chart), object.Because(keepComment, PruneKey, Disabled))),
			object.F("spec", object.Map(
				object.F("type", "oci"),
				object.F("interval", "1h"),
				object.F("url", p.Config.Operator.Charts),
			)))
	}
	return object.Map(
		object.F("apiVersion", p.serves(classic.SourceGroup, "OCIRepository")),
		object.F("kind", "OCIRepository"),
		object.F("metadata", p.metadata(p.releaseName(chart), object.Because(keepComment, PruneKey, Disabled))),
		object.F("spec", object.Map(
			object.F("interval", "1h"),
			object.F("layerSelector", object.Map(
				object.F("mediaType", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
				object.F("operation", "copy"),
			)),
			object.F("ref", object.Map(object.F("tag", p.Operator.Version.String()))),
			object.F("url", p.Config.Operator.Charts+"/"+chart),
		)))
}

func (p *Plan) helmRelease(r release) *kyaml.Node {
	spec := []object.Field{object.F("interval", "1h")}
	if p.chartRefs() {
		spec = append(spec, object.F("chartRef", reference("OCIRepository", p.releaseName(r.chart))))
	} else {
		spec = append(spec, object.F("chart", object.Map(object.F("spec", object.Map(
			object.F("chart", r.chart),
			object.F("version", p.Operator.Version.String()),
			object.F("sourceRef", reference("HelmRepository", p.releaseName(r.chart))),
		)))))
	}
	if account := p.helmAccount(); account != "" {
		spec = append(spec, object.F("serviceAccountName", account))
	}
	spec = append(spec, r.spec...)
	if r.values != nil {
		spec = append(spec, object.F("values", r.values))
	}
	return object.Map(
		object.F("apiVersion", p.serves(classic.HelmGroup, "HelmRelease")),
		object.F("kind", "HelmRelease"),
		object.F("metadata", p.metadata(p.releaseName(r.chart),
			append([]object.Field{object.Because(keepComment, PruneKey, Disabled)}, r.annotations...)...)),
		object.F("spec", object.Map(spec...)))
}

// helmAccount is the service account for the HelmRelease where the controllers are locked down to a default account
// that may not install an operator; the root says so by naming an account of its own.
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

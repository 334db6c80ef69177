package instance

import (
	"maps"
	"reflect"
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
	"migrate-to-flux-operator/fn/shell"
)

// The annotation that keeps Helm from deleting an object with its release. Source: helm.sh/helm v3.19.0 and v4.2.2.
const (
	policyKey = "helm.sh/resource-policy"
	keep      = "keep"
)

// The comments in the values of the chart flux-instance and in its HelmRelease.
const (
	policyComment   = "Uninstalling the release must not uninstall Flux: Helm leaves the FluxInstance where it is."
	artifactComment = "Empty, because the chart's default is a tag that moves."
	waitComment     = "The FluxInstance replaces helm-controller, which must not wait for that."
)

// asRelease reports whether the FluxInstance comes from the chart flux-instance.
func (p *Plan) asRelease() bool { return p.Config.Instance.Form == config.HelmRelease }

// instanceFiles hold the FluxInstance, or the release of the chart that renders it.
func (p *Plan) instanceFiles() []file {
	if !p.asRelease() {
		return []file{{"instance/instance.yaml", []*kyaml.Node{p.fluxInstance()}}}
	}
	return []file{
		{"instance/source.yaml", []*kyaml.Node{p.chartSource(flux.InstanceChart)}},
		{"instance/helmrelease.yaml", []*kyaml.Node{p.instanceRelease()}},
	}
}

// instanceRelease is the HelmRelease of the chart flux-instance.
func (p *Plan) instanceRelease() *kyaml.Node {
	var spec []object.Field
	if p.operatorRelease != nil {
		spec = append(spec, object.F("dependsOn", []*kyaml.Node{p.operatorRelease}))
	}
	wait, again := object.Because(waitComment, "disableWait", true), p.again()
	spec = append(spec, object.F("install", object.Map(wait, again)),
		object.F("upgrade", object.Map(object.F("disableWait", true), again)))
	return p.helmRelease(release{chart: flux.InstanceChart, annotations: p.literally(), spec: spec,
		values: p.InstanceValues()})
}

// again makes Helm try again what failed. Since Flux 2.7 it can do so and no more; before it uninstalls first, which
// leaves the FluxInstance, or goes back to the last release. Source: helm.toolkit.fluxcd.io of Flux 2.6 and 2.7.
func (p *Plan) again() object.Field {
	if p.Install.Version.Release.Minor() < 7 {
		return object.F("remediation", object.Map(object.F("retries", 3)))
	}
	return object.F("strategy", object.Map(object.F("name", "RetryOnFailure"), object.F("retryInterval", "1m")))
}

// InstanceValues are the values of the chart flux-instance for which it renders the FluxInstance of this plan.
func (p *Plan) InstanceValues() *kyaml.Node {
	spec := p.spec()
	for i := 0; i < len(spec.Content); i += 2 {
		if spec.Content[i].Value == "distribution" {
			distribution := *spec.Content[i+1]
			distribution.Content = append(slices.Clone(distribution.Content),
				object.Map(object.Because(artifactComment, "artifact", "")).Content...)
			spec.Content[i+1] = &distribution
		}
	}
	return object.Map(
		object.F("commonAnnotations", object.Map(object.Because(policyComment, policyKey, keep))),
		object.F("instance", spec))
}

// checkRelease refuses what the chart flux-instance of this version cannot say: it ignores values that it does not
// know.
func (p *Plan) checkRelease(_ *object.Set, findings *finding.List) {
	if !p.asRelease() {
		return
	}
	const remedy = "leave out config field instance.form, which writes a FluxInstance"
	values, want, err := p.decoded()
	if err != nil {
		findings.Error(finding.InstanceRefused, p.Install.Anchor, "", "%s", err)
		return
	}
	rendered, ignored, err := flux.ChartInstance(p.Operator.Version, p.Install.Namespace, values)
	if err != nil {
		findings.Error(finding.ChartHasNoValue, p.Install.Anchor, "", "instance.form HelmRelease: %s; %s", err, remedy)
		return
	}
	for _, value := range ignored {
		findings.Error(finding.ChartHasNoValue, p.Install.Anchor, "", "instance.form HelmRelease: the chart %s %s "+
			"has no value %s, which this cluster needs; %s", flux.InstanceChart, p.Operator.Version, value, remedy)
	}
	if last := flux.LastChart(); p.Operator.Version.GreaterThan(last) {
		findings.Warn(finding.NewerThanTables, p.Install.Anchor, "", "instance.form HelmRelease: the chart %[1]s "+
			"%[2]s is taken to have the values that %[3]s has, the last that this release knows; see that it renders "+
			"them: %[4]s",
			flux.InstanceChart, p.Operator.Version, last, shell.Line(
				"yq .spec.values helmrelease.yaml").Pipe(shell.Run("helm", "template",
				flux.InstanceChart, p.Config.Operator.Charts+"/"+flux.InstanceChart, "--version", p.Operator.Version.String(),
				"-n", p.Install.Namespace, "-f", "-")))
	}
	have, _ := object.Get[map[string]any](rendered, "spec")
	for _, field := range lost(want, have) {
		findings.Error(finding.ChartHasNoValue, p.Install.Anchor, "", "instance.form HelmRelease: the chart %s %s "+
			"does not render spec.%s as this cluster needs it; %s",
			flux.InstanceChart, p.Operator.Version, field, remedy)
	}
}

// decoded are the values, and the spec that the chart is to render from them.
func (p *Plan) decoded() (values, spec map[string]any, err error) {
	if err := reason.Of(p.InstanceValues().Decode(&values)); err != nil {
		return nil, nil, err
	}
	return values, spec, reason.Of(p.spec().Decode(&spec))
}

// lost are the fields of a map, two levels deep, that another one does not hold as they are.
func lost(want, have map[string]any) []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		group, isMap := want[key].(map[string]any)
		other, wasMap := have[key].(map[string]any)
		if !isMap || !wasMap {
			if !reflect.DeepEqual(want[key], have[key]) {
				all = append(all, key)
			}
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(group)) {
			if !reflect.DeepEqual(group[field], other[field]) {
				all = append(all, key+"."+field)
			}
		}
	}
	return all
}

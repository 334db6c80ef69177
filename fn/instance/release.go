package instance

import (
	"slices"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/object"
)

// The comments in the values of the chart flux-instance.
const (
	policyComment   = "Uninstalling the release must not uninstall Flux: Helm leaves the FluxInstance where it is."
	artifactComment = "The manifests are those that Flux Operator carries. The chart's default is an artifact that moves."
)

// InstanceValues are the values of the chart flux-instance for which it renders the FluxInstance of this plan.
func (p *Plan) InstanceValues() *kyaml.Node {
	spec := p.spec()
	for i := 0; i < len(spec.Content); i += 2 {
		if spec.Content[i].Value == "distribution" {
			distribution := *spec.Content[i+1]
			distribution.Content = append(slices.Clone(distribution.Content), object.Map(object.Because(artifactComment, "artifact", "")).Content...)
			spec.Content[i+1] = &distribution
		}
	}
	return object.Map(
		object.F("commonAnnotations", object.Map(object.Because(policyComment, "helm.sh/resource-policy", "keep"))),
		object.F("instance", spec))
}

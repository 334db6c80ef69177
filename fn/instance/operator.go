package instance

import (
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/object"
)

// operatorFiles install Flux Operator by its chart.
func (p *Plan) operatorFiles() []file {
	retries := object.Map(object.F("remediation", object.Map(object.F("retries", 3))))
	return []file{
		{"operator/source.yaml", []*kyaml.Node{p.chartSource(operatorName)}},
		{"operator/helmrelease.yaml", []*kyaml.Node{p.helmRelease(release{
			chart:  operatorName,
			spec:   []object.Field{object.F("install", retries), object.F("upgrade", retries)},
			values: p.OperatorValues(),
		})}},
	}
}

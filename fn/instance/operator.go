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

// OperatorValues are the values of the chart flux-operator, nil where its defaults do.
func (p *Plan) OperatorValues() *kyaml.Node {
	if len(p.Config.Operator.Values) == 0 {
		return nil
	}
	return object.Value(p.Config.Operator.Values)
}

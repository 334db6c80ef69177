package instance

import (
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/flux"
)

// tellImposed says what Flux Operator changes by itself.
func (p *Plan) tellImposed(findings *finding.List) {
	tell := func(code finding.Code, format string, args ...any) {
		findings.Info(code, finding.Imposed, p.Install.Anchor, "", format, args...)
	}
	if changes := p.podChanges(); len(changes) > 0 {
		tell(finding.ChangedByOperator, "the pods of the controllers are replaced once, because their template "+
			"changes: %s",
			strings.Join(changes, "; "))
	}
	if lost := p.keys("spec.template.metadata.labels.", isLost); lost != "" {
		tell(finding.LabelsChange, "what selects the pods by %s, such as a PodMonitor or a NetworkPolicy, needs "+
			"another label, such as app", lost)
	}
	if p.imposes(func(d flux.Difference) bool { return isRule(d) && isLost(d) }) {
		tell(finding.ChangedByOperator, "the controllers lose the permission to create service account tokens, "+
			"unless cluster.objectLevelWorkloadIdentity is set")
	}
	if p.imposes(func(d flux.Difference) bool { return isRule(d) && isGained(d) }) {
		tell(finding.ChangedByOperator, "the cluster role of the controllers gains a rule for the API group "+
			"fluxcd.controlplane.io")
	}
	if labels := p.keys("metadata.labels.", isLost); labels != "" {
		tell(finding.LabelsChange, "its objects lose the labels %s", labels)
	}
	if labels := p.everywhere("metadata.labels."); labels != "" {
		tell(finding.LabelsChange, "everything it applies carries the labels %s and the annotations %s", labels,
			p.everywhere("metadata.annotations."))
	}
	if p.imposes(func(d flux.Difference) bool { return d.Path == "apiVersion" }) {
		tell(finding.ChangedByOperator, "the sync pair is written in the API version that the release serves")
	}
}

// podChanges are the changes to the pods of the controllers, in words.
func (p *Plan) podChanges() []string {
	var changes []string
	for _, part := range []struct{ prefix, what string }{{"spec.template.metadata.labels.", "label"},
		{"spec.template.metadata.annotations.", "annotation"}} {
		for _, side := range []struct {
			match func(flux.Difference) bool
			verb  string
		}{{isLost, "without the "}, {isGained, "with the "}} {
			if keys := p.keys(part.prefix, side.match); keys != "" {
				changes = append(changes, side.verb+part.what+" "+keys)
			}
		}
	}
	flags := map[string]bool{}
	for _, d := range p.imposed {
		if _, flag, found := strings.Cut(d.Path, ".args["); found {
			name, gate, _ := strings.Cut(flag, "]")
			flags[strings.TrimSuffix(name+strings.NewReplacer("[", " ", "]", "").Replace(gate), " ")] = true
		}
	}
	if len(flags) > 0 {
		changes = append(changes, "what was the default is said: "+strings.Join(slices.Sorted(maps.Keys(flags)), ", "))
	}
	return changes
}

// keys are the labels or annotations below a path that match, in order.
func (p *Plan) keys(prefix string, match func(flux.Difference) bool) string {
	keys := map[string]bool{}
	for _, d := range p.imposed {
		if key, below := strings.CutPrefix(d.Path, prefix); below && match(d) {
			keys[key] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(keys)), ", ")
}

// everywhere are the labels or annotations that every object gains.
func (p *Plan) everywhere(prefix string) string {
	gained, objects := map[string]int{}, map[flux.ID]bool{}
	for _, d := range p.imposed {
		objects[d.Object] = true
		if key, below := strings.CutPrefix(d.Path, prefix); below && isGained(d) {
			gained[key]++
		}
	}
	maps.DeleteFunc(gained, func(_ string, n int) bool { return n < len(objects) })
	return strings.Join(slices.Sorted(maps.Keys(gained)), ", ")
}

func (p *Plan) imposes(match func(flux.Difference) bool) bool {
	return slices.ContainsFunc(p.imposed, match)
}

func isLost(d flux.Difference) bool   { return d.Classic != nil && d.Operator == nil }
func isGained(d flux.Difference) bool { return d.Classic == nil && d.Operator != nil }
func isRule(d flux.Difference) bool {
	return d.Object.Kind == "ClusterRole" && strings.HasPrefix(d.Path, "rules[")
}

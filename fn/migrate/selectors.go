package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
)

// selectable is something of Flux that a selector can mean, with its labels before and after the take-over.
type selectable struct {
	kind, name    string
	before, after map[string]string
}

// tellSelectors warns about selectors that mean other parts of Flux once Flux Operator has taken over, because it sets
// other labels than the classic install: those of NetworkPolicies, PodMonitors, Services and the like.
func tellSelectors(set *object.Set, plan *instance.Plan, findings *finding.List) {
	parts := selectables(plan)
	changing := changingLabels(parts)
	selecting := slices.DeleteFunc(set.Current(),
		func(o *object.Object) bool { return selectors[o.Group()+"/"+o.Kind] == "" })
	slices.SortStableFunc(selecting, object.Compare)
	for _, o := range selecting {
		over := selectors[o.Group()+"/"+o.Kind]
		if !slices.ContainsFunc(changing, func(label string) bool { return strings.Contains(o.Text(), label) }) ||
			plan.Install.Foreign(set, o) {
			continue
		}
		spec, _ := object.Get[map[string]any](o.Map(), "spec")
		walk("spec", spec, func(field string, m map[string]any) {
			for _, s := range selectorsIn(field, m, over) {
				s.compare(o, parts, findings)
			}
		})
	}
}

// selectors are the kinds that select by labels, and what they select unless a field says otherwise.
// Source: the APIs of networking.k8s.io/v1, policy/v1, monitoring.coreos.com/v1, cilium.io/v2 and
// operator.victoriametrics.com/v1beta1.
var selectors = map[string]string{
	"networking.k8s.io/NetworkPolicy":              "Pod",
	"cilium.io/CiliumNetworkPolicy":                "Pod",
	"cilium.io/CiliumClusterwideNetworkPolicy":     "Pod",
	"policy/PodDisruptionBudget":                   "Pod",
	"/Service":                                     "Pod",
	"monitoring.coreos.com/PodMonitor":             "Pod",
	"operator.victoriametrics.com/VMPodScrape":     "Pod",
	"monitoring.coreos.com/ServiceMonitor":         "Service",
	"operator.victoriametrics.com/VMServiceScrape": "Service",
}

// selectables are the pods, Services and the namespace of Flux, as they are rendered before and after.
func selectables(plan *instance.Plan) []selectable {
	after := map[string]*kyaml.RNode{}
	for _, o := range plan.After {
		after[o.GetKind()+"/"+o.GetName()] = o
	}
	var all []selectable
	for _, o := range plan.Before {
		then, stays := after[o.GetKind()+"/"+o.GetName()]
		if !stays {
			continue
		}
		switch o.GetKind() {
		case "Deployment":
			all = append(all, selectable{"Pod", o.GetName(), podLabels(o), podLabels(then)})
		case "Service":
			all = append(all, selectable{"Service", o.GetName(), o.GetLabels(), then.GetLabels()})
		case "Namespace":
			all = append(all, selectable{"Namespace", o.GetName(), named(o), named(then)})
		}
	}
	return all
}

// podLabels are the labels of the pods of a Deployment.
func podLabels(o *kyaml.RNode) map[string]string {
	labels := map[string]string{}
	found, err := o.Pipe(kyaml.Lookup("spec", "template", "metadata", "labels"))
	if err != nil || found == nil {
		return labels
	}
	_ = found.VisitFields(func(f *kyaml.MapNode) error {
		labels[kyaml.GetValue(f.Key)] = kyaml.GetValue(f.Value)
		return nil
	})
	return labels
}

// named are the labels of a namespace with the one that the API server sets.
func named(o *kyaml.RNode) map[string]string {
	labels := maps.Clone(o.GetLabels())
	if labels == nil {
		labels = map[string]string{}
	}
	labels["kubernetes.io/metadata.name"] = o.GetName()
	return labels
}

// changingLabels are the labels that differ before and after on anything.
func changingLabels(parts []selectable) []string {
	changing := map[string]bool{}
	for _, p := range parts {
		for _, labels := range []map[string]string{p.before, p.after} {
			for key := range labels {
				if p.before[key] != p.after[key] {
					changing[key] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(changing))
}

// selector is a label selector in an object.
type selector struct {
	field, over string
	labels      map[string]string
	expressions []any
}

// selectorsIn reads the selectors that a map holds: a field with matchLabels or matchExpressions, or the selector of a
// Service.
func selectorsIn(field string, m map[string]any, over string) []selector {
	if last := field[strings.LastIndex(field, ".")+1:]; last == "namespaceSelector" {
		over = "Namespace"
	}
	expressions, _ := m["matchExpressions"].([]any)
	labels, hasLabels := m["matchLabels"].(map[string]any)
	switch {
	case hasLabels || len(expressions) > 0:
		return []selector{{field, over, texts(labels), expressions}}
	case field == "spec.selector" && over == "Pod" && len(m) > 0:
		return []selector{{field, over, texts(m), nil}}
	}
	return nil
}

// texts are the labels that a selector asks for, without the prefixes of Cilium; what Cilium says of namespaces is no
// label.
func texts(m map[string]any) map[string]string {
	labels := map[string]string{}
	for key, value := range m {
		key = strings.TrimPrefix(strings.TrimPrefix(key, "k8s:"), "any:")
		if !strings.HasPrefix(key, "io.kubernetes.pod.namespace") && !strings.HasPrefix(key, "io.cilium.") {
			labels[key] = fmt.Sprint(value)
		}
	}
	return labels
}

// compare warns where the selector means other parts of Flux afterwards.
func (s selector) compare(o *object.Object, parts []selectable, findings *finding.List) {
	var lost, gained []string
	for _, p := range parts {
		if p.kind != s.over {
			continue
		}
		switch was, is := s.matches(p.before), s.matches(p.after); {
		case was && !is:
			lost = append(lost, p.name)
		case is && !was:
			gained = append(gained, p.name)
		}
	}
	if len(lost) > 0 {
		findings.Warn(finding.SelectorChanges, o, s.field, "selects %s, and will not once Flux Operator has taken "+
			"over, because it sets other labels: select by a label that stays, such as %s",
			what(s.over, lost), stays[s.over])
	}
	if len(gained) > 0 {
		findings.Warn(finding.SelectorChanges, o, s.field, "will select %s once Flux Operator has taken over, which "+
			"it does not today, because it sets other labels: see whether you want that", what(s.over, gained))
	}
}

// what names some parts of Flux; many by their number.
func what(kind string, names []string) string {
	if len(names) > 3 {
		return map[string]string{"Pod": "the pods", "Service": "the Services"}[kind] +
			fmt.Sprintf(" of %d controllers", len(names))
	}
	return map[string]string{"Pod": "the pods of ", "Service": "the Service ", "Namespace": "the namespace "}[kind] +
		strings.Join(names, ", ")
}

// stays are labels that both the classic install and Flux Operator set.
var stays = map[string]string{"Pod": "app", "Service": "app.kubernetes.io/component",
	"Namespace": "kubernetes.io/metadata.name"}

// matches reports whether labels fulfil the selector. Source: LabelSelector of apimachinery meta/v1.
func (s selector) matches(labels map[string]string) bool {
	for key, value := range s.labels {
		if labels[key] != value {
			return false
		}
	}
	for _, entry := range s.expressions {
		m, _ := entry.(map[string]any)
		key, _ := m["key"].(string)
		value, has := labels[strings.TrimPrefix(strings.TrimPrefix(key, "k8s:"), "any:")]
		values, _ := m["values"].([]any)
		among := has && slices.Contains(values, any(value))
		switch m["operator"] {
		case "In":
			if !among {
				return false
			}
		case "NotIn":
			if among {
				return false
			}
		case "Exists":
			if !has {
				return false
			}
		case "DoesNotExist":
			if has {
				return false
			}
		}
	}
	return true
}

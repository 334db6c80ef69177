package inventory

import (
	"maps"
	"slices"
)

// The kinds of edges.
const (
	EdgeSource     = "sourceRef"
	EdgeDependsOn  = "dependsOn"
	EdgeSubstitute = "substituteFrom"
	EdgeHealth     = "healthChecks"
)

// Edge is a reference from one object to another.
type Edge struct {
	Owner    Name   `json:"owner"`
	From     Ref    `json:"from"`
	Field    string `json:"field"`
	To       Ref    `json:"to"`
	Optional bool   `json:"optional,omitempty"`

	waits bool // From is certain to wait until To is ready
}

// edges notes the references of a Flux object.
func (r *round) edges(owner Name, object map[string]any) {
	from := Ref{Kind: str(object, "kind"), Namespace: str(object, "metadata", "namespace"),
		Name: str(object, "metadata", "name")}
	spec := dig(object, "spec")
	e := edgeList{owner: owner, from: from, awake: !boolean(spec, "suspend")}
	e.sources(spec)
	for _, d := range list(spec, "dependsOn") {
		ref := refOf(d, from.Namespace)
		ref.Kind = from.Kind
		e.add(EdgeDependsOn, ref, false)
		e.waits(str(d, "readyExpr") == "") // else the expression decides
	}
	for _, s := range list(spec, "postBuild", "substituteFrom") {
		e.add(EdgeSubstitute, Ref{str(s, "kind"), from.Namespace, str(s, "name")}, boolean(s, "optional"))
	}
	for _, h := range list(spec, "healthChecks") {
		to := refOf(h, from.Namespace)
		e.add(EdgeHealth, to, true)
		e.waits(to != from && !boolean(spec, "wait")) // Flux leaves itself out, and wait takes their place
	}
	r.inv.Edges = append(r.inv.Edges, e.edges...)
}

// edgeList collects the edges of one object.
type edgeList struct {
	owner Name
	from  Ref
	awake bool
	edges []Edge
}

// add notes one edge.
func (e *edgeList) add(field string, to Ref, optional bool) {
	e.edges = append(e.edges, Edge{Owner: e.owner, From: e.from, Field: field, To: to, Optional: optional})
}

// waits says of the last edge whether it is certain to be waited for.
func (e *edgeList) waits(certain bool) { e.edges[len(e.edges)-1].waits = e.awake && certain }

// sources notes every sourceRef and chartRef below v, in any Flux API.
func (e *edgeList) sources(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			ref, ok := v[k].(map[string]any)
			if ok && (k == "sourceRef" || k == "chartRef") && str(ref, "name") != "" {
				e.add(EdgeSource, refOf(ref, e.from.Namespace), false)
				continue
			}
			e.sources(v[k])
		}
	case []any:
		for _, item := range v {
			e.sources(item)
		}
	}
}

// Dangling returns the edges that lead to nothing in the inventory. Some are
// as they should be: a Secret that is made by hand, a Deployment that a Helm
// chart brings.
func (inv *Inventory) Dangling() []Edge {
	have := map[Ref]bool{}
	for _, e := range inv.Entries {
		have[e.ref()] = true
	}
	for _, r := range inv.walk.roots {
		for _, object := range []map[string]any{r.Kustomization, r.Source} {
			have[Ref{str(object, "kind"), str(object, "metadata", "namespace"), str(object, "metadata", "name")}] = true
		}
	}
	var out []Edge
	for _, e := range inv.Edges {
		if !have[e.To] {
			out = append(out, e)
		}
	}
	return out
}

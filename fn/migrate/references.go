package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// repairReferences looks for everything that names what cleanup removes from the cluster: the install's own Kustomization
// and its source. The pair stays on the cluster, so references to it hold.
func repairReferences(set *object.Set, removed []*object.Object, findings *finding.List) {
	for _, o := range set.Current() {
		if slices.Contains(removed, o) || !strings.HasSuffix(o.Group(), ".toolkit.fluxcd.io") {
			continue
		}
		for _, gone := range removed {
			if gone.Is(classic.ConfigGroup, "Kustomization") || set.HasPaths() && !mentions(o, gone) {
				continue
			}
			for _, field := range referencesTo(o, gone.ID) {
				report(o, field, gone, findings)
			}
		}
	}
}

// mentions is a cheap test on the text, so that objects that cannot refer to it are not parsed.
func mentions(o, gone *object.Object) bool { return strings.Contains(o.Text(), gone.Name) }

func report(o *object.Object, field string, gone *object.Object, findings *finding.List) {
	const still = "refers to %s, which cleanup removes: "
	switch {
	case o.Group() == classic.NotifyGroup:
		findings.Warn(o, field, still+"it will see no more events of it; name FluxInstance/%s/flux or remove the entry", gone.ID, gone.Namespace)
	case strings.Contains(field, "dependsOn"):
		findings.Error(o, field, still+"it would wait for ever; name flux-instance instead", gone.ID)
	default:
		findings.Error(o, field, still+"it would stop working; remove the reference first", gone.ID)
	}
}

// referencesTo lists the fields of an object that name another one.
func referencesTo(o *object.Object, id object.ID) []string {
	spec, _ := object.Get[map[string]any](o.Map(), "spec")
	var fields []string
	walk("spec", spec, func(path string, m map[string]any) {
		if names(m, id, o.Namespace, strings.Contains(path, "dependsOn") && o.Kind == id.Kind) {
			fields = append(fields, path+".name")
		}
	})
	return fields
}

// names tells whether a reference is one to id; a reference without kind, as in dependsOn, means the kind of the object.
func names(m map[string]any, id object.ID, namespace string, sameKind bool) bool {
	if m["name"] != id.Name {
		return false
	}
	kind, hasKind := m["kind"]
	if ns, set := m["namespace"].(string); set && ns != "" {
		namespace = ns
	}
	return namespace == id.Namespace && (kind == id.Kind || !hasKind && sameKind)
}

func walk(path string, value any, visit func(string, map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		visit(path, v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(path+"."+key, v[key], visit)
		}
	case []any:
		for i, child := range v {
			walk(fmt.Sprintf("%s[%d]", path, i), child, visit)
		}
	}
}

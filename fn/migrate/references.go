package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
)

// repairReferences looks for everything that names what cleanup takes off the cluster: the install's own Kustomization and
// its source. The sync pair stays on the cluster, so references to it hold.
func repairReferences(set *object.Set, install *classic.Install, findings *finding.List) {
	if install.Owner == nil {
		return
	}
	for _, o := range slices.SortedStableFunc(slices.Values(set.Current()), object.Compare) {
		if slices.Contains(install.Objects, o) || !strings.HasSuffix(o.Group(), ".toolkit.fluxcd.io") {
			continue
		}
		for _, gone := range install.Objects {
			if !mentions(o, gone) || classic.Nearest(set.Find(gone.ID), o) != gone {
				continue
			}
			for _, field := range referencesTo(o, gone.ID) {
				repair(o, field, gone, findings)
			}
		}
	}
}

// mentions is a cheap test on the text, so that objects that cannot refer to it are not parsed.
func mentions(o, gone *object.Object) bool { return strings.Contains(o.Text(), gone.Name) }

// repair changes a reference where the change is certain, and says what to do where it is not.
func repair(o *object.Object, field string, gone *object.Object, findings *finding.List) {
	const refers = "refers to %s, which cleanup removes: "
	switch {
	case strings.HasPrefix(field, "spec.dependsOn["):
		if err := renameDependency(o, gone.Name); err != nil {
			findings.Error(o, field, refers+"it cannot be edited: %s", gone.ID, err)
			return
		}
		findings.Info(finding.Reference, o, field, refers+"it waits for flux-instance now, which is ready when Flux is", gone.ID)
	case o.Group() == classic.NotifyGroup:
		findings.Warn(o, field, refers+"it will see no more events of it; name FluxInstance/%s/flux or remove the entry", gone.ID, gone.Namespace)
	default:
		findings.Error(o, field, refers+"it would stop working; remove the reference first", gone.ID)
	}
}

// renameDependency lets a Flux Kustomization that waited for the classic install wait for the FluxInstance.
func renameDependency(o *object.Object, name string) error {
	return o.EditNode(func(node *kyaml.RNode) error {
		list, err := node.Pipe(kyaml.Lookup("spec", "dependsOn"))
		if err != nil {
			return err
		}
		return list.VisitElements(func(entry *kyaml.RNode) error {
			if at := entry.Field("name"); at != nil && at.Value.YNode().Value == name {
				at.Value.YNode().Value = instance.KustomizationName
			}
			return nil
		})
	})
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

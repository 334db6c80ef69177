package migrate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
)

// tellPatched says what patches that are for every Flux Kustomization set on the new ones, once for those on which they set the same.
// Where that cannot be followed, the proof says so.
func tellPatched(set *object.Set, install *classic.Install, added []*object.Object, findings *finding.List) {
	first, names := map[string]*object.Object{}, map[string][]string{}
	for _, o := range added {
		if !o.Is(classic.KustomizeGroup, "Kustomization") {
			continue
		}
		live, err := install.Pair.OnCluster(set, o)
		if err != nil {
			continue
		}
		if fields := strings.Join(changedFields(o, live), ", "); fields != "" {
			first[fields] = cmp.Or(first[fields], o)
			names[fields] = append(names[fields], o.Name)
		}
	}
	for _, fields := range slices.Sorted(maps.Keys(names)) {
		findings.Info(finding.Found, first[fields], "spec", "patches for all Flux Kustomizations set %s on the new %s too: see that you want that",
			fields, strings.Join(names[fields], " and "))
	}
}

// changedFields are the fields of the spec of an object that another state of it has otherwise.
func changedFields(o, live *object.Object) []string {
	was, _ := object.Get[map[string]any](o.Map(), "spec")
	is, _ := object.Get[map[string]any](live.Map(), "spec")
	all := maps.Clone(is)
	maps.Copy(all, was)
	var fields []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(was[key], is[key]) {
			fields = append(fields, "spec."+key)
		}
	}
	return fields
}

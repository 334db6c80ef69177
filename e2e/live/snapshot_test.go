package live

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"migrate-to-flux-operator/e2e/objects"
)

// snapshot is every object on the cluster by its name, but for what the cluster writes by itself.
type snapshot map[string]*objects.Object

// snapshot lists everything that can be listed and deleted.
func (c *cluster) snapshot(t *testing.T) snapshot {
	t.Helper()
	found, served := snapshot{}, c.resources()
	if len(served) == 0 {
		t.Fatal("the API server tells no resources")
	}
	for _, resource := range served {
		for _, object := range c.list(t.Context(), resource) {
			found[objects.Name(&object)] = &object
		}
	}
	return found
}

// lost are the objects that are gone, are going, or were made anew.
func (s snapshot) lost(now snapshot) []string {
	var gone []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		current := now[name]
		if current == nil || current.GetDeletionTimestamp() != nil || current.GetUID() != s[name].GetUID() {
			gone = append(gone, name)
		}
	}
	return gone
}

// changed are the objects whose content differs, of those that are not part of Flux: a migration means to change that.
func (s snapshot) changed(now snapshot) []string {
	var differ []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		current := now[name]
		if current == nil || s[name].GetLabels()["app.kubernetes.io/part-of"] == "flux" {
			continue
		}
		if !reflect.DeepEqual(content(s[name]), content(current)) {
			differ = append(differ, name)
		}
	}
	return differ
}

// content is what an object says, without its metadata and status, with durations written in one way, and without the
// switches of Flux that are off: the FluxInstance restates none.
func content(object *objects.Object) map[string]any {
	copied := object.DeepCopy().Object
	delete(copied, "metadata")
	delete(copied, "status")
	if spec, isMap := copied["spec"].(map[string]any); isMap && strings.HasSuffix(objects.Group(object), ".toolkit.fluxcd.io") {
		maps.DeleteFunc(spec, func(name string, value any) bool {
			return value == false && slices.Contains([]string{"wait", "force", "suspend", "insecure", "recurseSubmodules"}, name)
		})
	}
	return normal(copied).(map[string]any)
}

// normal writes the durations in a value as Go does: the operator writes 2h as 2h0m0s.
func normal(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, child := range typed {
			typed[key] = normal(child)
		}
	case []any:
		for i, child := range typed {
			typed[i] = normal(child)
		}
	case string:
		if duration, err := time.ParseDuration(typed); err == nil {
			return duration.String()
		}
	}
	return value
}

// kept fails unless all that the cluster had before the migration is still the same object with the same content, but
// for what a step removes on purpose.
func (r *replay) kept(t *testing.T, removed ...string) {
	t.Helper()
	now := r.snapshot(t)
	if gone := r.before.lost(now); !slices.Equal(gone, slices.Sorted(slices.Values(removed))) {
		t.Fatalf("deleted or made anew: %s; want: %s", list(gone), list(removed))
	}
	changed := slices.DeleteFunc(r.before.changed(now), func(name string) bool { return name == installKey })
	if len(changed) > 0 {
		for _, name := range changed {
			t.Errorf("%s was\n%v\nand is\n%v", name, content(r.before[name]), content(now[name]))
		}
		t.FailNow()
	}
}

// loses waits until all of these are gone: a disaster must be seen, or nothing else that the replay says counts.
func (r *replay) loses(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if r.before[name] == nil {
			t.Fatalf("%s was never there", name)
		}
	}
	r.disaster, r.wanted = true, names
	eventually(t, time.Minute, "the disaster", func() error {
		gone := r.before.lost(r.snapshot(t))
		for _, name := range names {
			if !slices.Contains(gone, name) {
				return missing{name}
			}
		}
		t.Logf("deleted: %d of %d objects, %s among them", len(gone), len(r.before), list(names))
		return nil
	})
}

// missing says that an object is still there.
type missing struct{ name string }

// Error names the object.
func (m missing) Error() string { return m.name + " is still there" }

// list prints names.
func list(names []string) string {
	return cmp.Or(strings.Join(names, ", "), "nothing")
}

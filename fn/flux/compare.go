package flux

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/reason"
)

// Difference is a field that a classic install and Flux Operator render differently. A nil value means that the field
// is not there; an empty Path means that the whole object is not.
type Difference struct {
	Object   ID
	Path     string
	Classic  any
	Operator any
}

// String tells what differs in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s %s: classic %s, operator %s", d.Object, or(d.Path, "(object)"), show(d.Classic),
		show(d.Operator))
}

// show spells a value, or its absence.
func show(value any) string {
	if value == nil {
		return "absent"
	}
	return fmt.Sprintf("%q", fmt.Sprint(value))
}

// Compare compares what a classic install renders with what Flux Operator renders, object by object and field by field.
// What the operator imposes on every install (see imposed) is apart. CRDs are compared by what they serve. Arguments of
// controllers are compared as the flags that are in force, and lists of named items by name, because neither depends on
// the order.
func Compare(classic, operator []*yaml.RNode) (found, byOperator []Difference, err error) {
	before, err := index(classic)
	if err != nil {
		return nil, nil, err
	}
	after, err := index(operator)
	if err != nil {
		return nil, nil, err
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	identity := usesIdentity(before)
	for _, id := range slices.SortedFunc(maps.Keys(all), compareIDs) {
		for _, d := range compareObject(id, before[id], after[id]) {
			if imposed(d, identity) {
				byOperator = append(byOperator, d)
			} else {
				found = append(found, d)
			}
		}
	}
	return found, byOperator, nil
}

// compareIDs orders objects by kind, then by name.
func compareIDs(a, b ID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Namespace, b.Namespace),
		cmp.Compare(a.Name, b.Name))
}

// index flattens objects by ID.
func index(objects []*yaml.RNode) (map[ID]leaves, error) {
	out := map[ID]leaves{}
	for _, object := range objects {
		id := IDOf(object)
		if _, twice := out[id]; twice {
			return nil, fmt.Errorf("%s is there twice", id)
		}
		content, err := reason.With(object.Map())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		out[id] = flatten(id, content)
	}
	return out, nil
}

// compareObject lists the fields that differ; a missing object is one difference.
func compareObject(id ID, classic, operator leaves) []Difference {
	switch {
	case classic == nil:
		return []Difference{{Object: id, Operator: id.String()}}
	case operator == nil:
		return []Difference{{Object: id, Classic: id.String()}}
	}
	all := maps.Clone(classic)
	maps.Copy(all, operator)
	var found []Difference
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if !same(classic[path], operator[path]) {
			found = append(found, Difference{Object: id, Path: path, Classic: classic[path], Operator: operator[path]})
		}
	}
	return found
}

// same compares two values; durations by their length, because the operator spells 2h as 2h0m0s.
func same(a, b any) bool {
	if a == b {
		return true
	}
	left, isText := a.(string)
	right, areTexts := b.(string)
	if !isText || !areTexts {
		return false
	}
	x, errX := time.ParseDuration(left)
	y, errY := time.ParseDuration(right)
	return errX == nil && errY == nil && x == y
}

// Unlike are the fields that an object has otherwise than it is wanted, sorted; what is not asked for is not looked at.
// It compares as Compare does, and quantities by their amount.
func Unlike(want, is map[string]any) []string {
	id := ID{Kind: fmt.Sprint(want["kind"])}
	wanted, found := flatten(id, want), flatten(id, is)
	var unlike []string
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[path] != "{}" && wanted[path] != "[]" && !same(wanted[path], found[path]) &&
			!sameAmount(wanted[path], found[path]) {
			unlike = append(unlike, path)
		}
	}
	return unlike
}

// sameAmount compares two quantities: the API server spells 1000m as 1.
func sameAmount(a, b any) bool {
	x, errX := resource.ParseQuantity(fmt.Sprint(a))
	y, errY := resource.ParseQuantity(fmt.Sprint(b))
	return errX == nil && errY == nil && x.Equal(y)
}

// usesIdentity reports whether a classic install has turned the workload identity feature gate on.
func usesIdentity(objects map[ID]leaves) bool {
	for id, fields := range objects {
		for path, value := range fields {
			if id.Kind == "Deployment" && isIdentityGate(path) && value == "true" {
				return true
			}
		}
	}
	return false
}

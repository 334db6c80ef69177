// Package compare holds what a classic install renders against what the operator renders, object by object and
// field by field. What the operator changes for everyone is in allow.go; every other difference counts.
package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"migrate-to-flux-operator/e2e/crd"
	"migrate-to-flux-operator/e2e/objects"
)

// absent stands for a value that one side does not have.
const absent = "(absent)"

// Difference is one leaf, or one object, that is not the same on both sides.
type Difference struct {
	Object, Path, Classic, Operator string
}

// String shows a difference on one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s %s: classic %s, operator %s", d.Object, d.Path, d.Classic, d.Operator)
}

// Objects compares two renderings. The order of objects does not matter.
func Objects(classic, operator []*objects.Object) ([]Difference, error) {
	kinds, err := crd.Load(slices.Concat(operator, classic))
	if err != nil {
		return nil, err
	}
	left, right := index(classic), index(operator)
	var found []Difference
	for _, name := range slices.Sorted(maps.Keys(union(left, right))) {
		if left[name] == nil || right[name] == nil {
			found = append(found, Difference{name, "", presence(left[name]), presence(right[name])})
			continue
		}
		p := pair{kinds.Default(left[name]), kinds.Default(right[name])}
		p.normalise()
		found = append(found, values(name, "", p.classic.Object, p.operator.Object)...)
	}
	return found, nil
}

// index keys objects by what identifies them on a cluster.
func index(list []*objects.Object) map[string]*objects.Object {
	named := map[string]*objects.Object{}
	for _, object := range list {
		named[objects.Name(object)] = object
	}
	return named
}

// union has the keys of both.
func union(a, b map[string]*objects.Object) map[string]*objects.Object {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// presence is how a whole object is shown in a difference.
func presence(object *objects.Object) string {
	if object == nil {
		return absent
	}
	return "present"
}

// values compares two values and what they hold.
func values(object, at string, classic, operator any) []Difference {
	if reflect.DeepEqual(classic, operator) {
		return nil
	}
	switch left := classic.(type) {
	case map[string]any:
		if right, isMap := operator.(map[string]any); isMap {
			return mappings(object, at, left, right)
		}
	case []any:
		if right, isList := operator.([]any); isList {
			return lists(object, at, left, right)
		}
	}
	return []Difference{{object, at, show(classic), show(operator)}}
}

// mappings compares two mappings, key by key.
func mappings(object, at string, classic, operator map[string]any) []Difference {
	keys := maps.Clone(classic)
	maps.Copy(keys, operator)
	var found []Difference
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		left, inClassic := classic[key]
		right, inOperator := operator[key]
		found = append(found, values(object, at+"/"+escape(key), either(left, inClassic), either(right, inOperator))...)
	}
	return found
}

// lists compares two lists, index by index.
func lists(object, at string, classic, operator []any) []Difference {
	var found []Difference
	for i := range max(len(classic), len(operator)) {
		var left, right any = missing{}, missing{}
		if i < len(classic) {
			left = classic[i]
		}
		if i < len(operator) {
			right = operator[i]
		}
		found = append(found, values(object, at+"/"+strconv.Itoa(i), left, right)...)
	}
	return found
}

// missing is a value that is not there, which is not the same as null.
type missing struct{}

// either is a value, or missing.
func either(value any, present bool) any {
	if present {
		return value
	}
	return missing{}
}

// escape writes a key as a JSON pointer does.
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// show writes a value on one line.
func show(value any) string {
	if _, isMissing := value.(missing); isMissing {
		return absent
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}

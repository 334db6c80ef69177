// Package fields moves the leaves of one object into another by a table of rules, and keeps account of every leaf:
// it is moved, restated, dropped for a reason, or left over. It imports nothing of ours.
package fields

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Rule says what becomes of one field, or of everything below it.
type Rule struct {
	// From is the dotted path of the field in the source object; a key that has dots itself stands in brackets:
	// metadata.annotations[example.com/key].
	From string
	// To is the dotted path in the target object that takes the value.
	To string
	// Via converts the value on its way; ok is false when it is not one that the rule is for, and then the rule does not
	// apply.
	Via func(any) (any, bool)
	// Restate says that the target has no field for it: the caller restates the value by a patch.
	Restate bool
	// Why is the reason to drop the value.
	Why string
}

// Leaf is one value and where it stood.
type Leaf struct {
	Path  string
	Value any
	// To is where a moved leaf went.
	To string
	// Why is the reason a dropped leaf was dropped.
	Why string
}

// Moved is the account of one Move: every leaf of the source is in exactly one of its lists or in the target.
type Moved struct {
	To       []Leaf
	Restated []Leaf
	Dropped  []Leaf
	Rest     []Leaf
}

// Move takes the values out of a copy of source as the rules say and sets them in target; what no rule took is the
// rest. A rule for a field comes before a rule for its parent. Maps that moving emptied go; maps that were written
// empty are leaves like any other.
//
// It fails when a rule would overwrite a different value in target, or when a rule says neither where to nor why.
func Move(source, target map[string]any, rules []Rule) (Moved, error) {
	left := clone(source).(map[string]any)
	var moved Moved
	for _, rule := range rules {
		if err := moved.apply(rule, left, target); err != nil {
			return Moved{}, err
		}
	}
	moved.Rest = leaves("", left)
	return moved, nil
}

func (m *Moved) apply(rule Rule, left, target map[string]any) error {
	if rule.To == "" && !rule.Restate && rule.Why == "" {
		return fmt.Errorf("rule for %s says neither where it goes nor why it is dropped", rule.From)
	}
	path := Split(rule.From)
	value, found := lookup(left, path)
	if !found {
		return nil
	}
	converted, ok := value, true
	if rule.Via != nil {
		converted, ok = rule.Via(value)
	}
	if !ok {
		return nil
	}
	leaf := Leaf{Path: rule.From, Value: value, To: rule.To, Why: rule.Why}
	switch {
	case rule.To != "":
		if err := set(target, Split(rule.To), converted); err != nil {
			return err
		}
		m.To = append(m.To, leaf)
	case rule.Restate:
		m.Restated = append(m.Restated, leaf)
	default:
		m.Dropped = append(m.Dropped, leaf)
	}
	take(left, path)
	return nil
}

func lookup(m map[string]any, path []string) (any, bool) {
	value, found := m[path[0]]
	if !found || len(path) == 1 {
		return value, found
	}
	child, isMap := value.(map[string]any)
	if !isMap {
		return nil, false
	}
	return lookup(child, path[1:])
}

// take removes the value at path and the parents that this emptied.
func take(m map[string]any, path []string) {
	if len(path) > 1 {
		child := m[path[0]].(map[string]any)
		take(child, path[1:])
		if len(child) > 0 {
			return
		}
	}
	delete(m, path[0])
}

func set(m map[string]any, path []string, value any) error {
	for _, key := range path[:len(path)-1] {
		child, isMap := m[key].(map[string]any)
		if !isMap {
			if m[key] != nil {
				return fmt.Errorf("field %s is already %v", strings.Join(path, "."), m[key])
			}
			child = map[string]any{}
			m[key] = child
		}
		m = child
	}
	last := path[len(path)-1]
	if old, found := m[last]; found && !reflect.DeepEqual(old, value) {
		return fmt.Errorf("field %s is already %v", strings.Join(path, "."), old)
	}
	m[last] = value
	return nil
}

func leaves(prefix string, value any) []Leaf {
	m, isMap := value.(map[string]any)
	if !isMap || len(m) == 0 && prefix != "" {
		return []Leaf{{Path: prefix, Value: value}}
	}
	var all []Leaf
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, leaves(Join(prefix, key), m[key])...)
	}
	return all
}

// Split cuts a dotted path into its keys.
func Split(path string) []string {
	var keys []string
	for path != "" {
		if rest, bracketed := strings.CutPrefix(path, "["); bracketed {
			key, after, _ := strings.Cut(rest, "]")
			keys, path = append(keys, key), strings.TrimPrefix(after, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(keys, path)
		}
		keys, path = append(keys, path[:end]), strings.TrimPrefix(path[end:], ".")
	}
	return keys
}

// Join appends a key to a dotted path.
func Join(path, key string) string {
	if strings.ContainsAny(key, ".[]") {
		return path + "[" + key + "]"
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

func clone(value any) any {
	switch v := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, child := range v {
			copied[key] = clone(child)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, child := range v {
			copied[i] = clone(child)
		}
		return copied
	default:
		return value
	}
}

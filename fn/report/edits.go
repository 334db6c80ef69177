package report

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/instance"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/printable"
)

// editsOf says which fields an edit changes, each on a line: what comes with +, what goes with -, and what becomes
// something else. Of a Secret it names the fields alone.
func editsOf(o *object.Object) []string {
	before, err := object.Parse(o.Original(), o.File, o.Index)
	if err != nil {
		return nil // what is no object is not edited
	}
	var d difference
	d.silent = o.Kind == "Secret"
	d.compare("", before.Map(), o.Map())
	return d.lines
}

// difference gathers the lines of editsOf.
type difference struct {
	lines  []string
	silent bool
}

func (d *difference) compare(path string, before, after any) {
	if reflect.DeepEqual(before, after) {
		return
	}
	switch before := before.(type) {
	case map[string]any:
		if after, isMap := after.(map[string]any); isMap {
			d.maps(path, before, after)
			return
		}
	case []any:
		if after, isList := after.([]any); isList {
			d.lists(path, before, after)
			return
		}
	}
	d.lines = append(d.lines, fieldName(path)+": "+d.value(before)+" -> "+d.value(after))
}

func (d *difference) maps(path string, before, after map[string]any) {
	keys := map[string]bool{}
	for _, m := range []map[string]any{before, after} {
		for key := range m {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		was, had := before[key]
		is, has := after[key]
		at := strings.TrimPrefix(path+"."+key, ".")
		switch {
		case had && has:
			d.compare(at, was, is)
		case has:
			d.only("+ ", at, is)
		default:
			d.only("- ", at, was)
		}
	}
}

// lists compares lists by their entries, whatever their order.
func (d *difference) lists(path string, before, after []any) {
	missing := func(from, in []any) []any {
		return slices.DeleteFunc(slices.Clone(from), func(entry any) bool {
			return slices.ContainsFunc(in, func(other any) bool { return reflect.DeepEqual(entry, other) })
		})
	}
	for _, entry := range missing(before, after) {
		d.only("- ", path, entry)
	}
	for _, entry := range missing(after, before) {
		d.only("+ ", path, entry)
	}
}

// only is what one of the two has; of a map, each of its entries.
func (d *difference) only(sign, path string, value any) {
	if entries, isMap := value.(map[string]any); isMap && (path == "metadata" || path == annotations) {
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			d.only(sign, path+"."+key, entries[key])
		}
		return
	}
	said := d.value(value)
	if text, _ := json.Marshal(value); path == "patches" && strings.Contains(string(text), instance.PruneKey) {
		said = guardPatches
		if strings.Contains(string(text), `"kind":".*"`) {
			said = guardPatch
		}
	}
	d.lines = append(d.lines, sign+fieldName(path)+": "+said)
}

// What patches come to that keep Flux from pruning what a kustomization.yaml lists, or some of it.
const (
	guardPatch   = "prune: disabled on all that this lists, until cleanup"
	guardPatches = "prune: disabled on what their targets select, until cleanup"
)

// annotations is where those of an object are.
const annotations = "metadata.annotations"

// fieldName is a field as people name it: without spec, an annotation by its key alone, Flux's without their group.
func fieldName(path string) string {
	key, isAnnotation := strings.CutPrefix(strings.TrimPrefix(path, "spec."), annotations+".")
	if isAnnotation {
		key = "annotation " + strings.TrimPrefix(key, classic.KustomizeGroup+"/")
	}
	return printable.Line(key)
}

// value is a value on one line, in short.
func (d *difference) value(v any) string {
	if d.silent {
		return "…"
	}
	if text, isText := v.(string); isText {
		return printable.Line(short(text))
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "…"
	}
	return printable.Line(short(string(text)))
}

// short is what a line shows of a value.
func short(s string) string {
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return s
}

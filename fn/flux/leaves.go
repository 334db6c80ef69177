package flux

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// leaves are the scalar fields of an object by path. Two objects that mean the same have the same leaves.
type leaves map[string]any

// flatten takes an object apart.
func flatten(id ID, object map[string]any) leaves {
	if id.Kind == "CustomResourceDefinition" {
		object = served(object)
	}
	l := leaves{}
	l.add("", object)
	return l
}

// served cuts a CRD down to what the manifests here have of it.
func served(crd map[string]any) map[string]any {
	spec, _ := crd["spec"].(map[string]any)
	small := pick(spec, "group", "names", "scope")
	versions, _ := spec["versions"].([]any)
	var list []any
	for _, v := range versions {
		version, _ := v.(map[string]any)
		list = append(list, pick(version, "name", "served", "storage"))
	}
	small["versions"] = list
	out := pick(crd, "apiVersion", "kind", "metadata")
	out["spec"] = small
	return out
}

// pick takes some fields of a map.
func pick(from map[string]any, fields ...string) map[string]any {
	out := map[string]any{}
	for _, field := range fields {
		if value, ok := from[field]; ok {
			out[field] = value
		}
	}
	return out
}

// add adds everything below a path. A map or a list that is empty says something too (emptyDir: {}), but for null,
// which says nothing.
func (l leaves) add(path string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		l.addMap(path, v)
	case []any:
		l.addList(path, v)
	default:
		l[path] = v
	}
}

// addMap adds the fields of a map. Annotations of function runtimes are no part of an object.
func (l leaves) addMap(path string, fields map[string]any) {
	if len(fields) == 0 && path != "metadata.annotations" && path != "metadata.labels" {
		l[path] = "{}"
	}
	for key, value := range fields {
		if path != "metadata.annotations" || !bookkeeping(key) {
			l.add(join(path, key), value)
		}
	}
}

// addList adds the items of a list: arguments as flags, named items by name, rules and subjects of roles as a set,
// others by place.
func (l leaves) addList(path string, items []any) {
	switch {
	case len(items) == 0:
		l[path] = "[]"
	case strings.HasSuffix(path, ".args"):
		l.addArgs(path, items)
	case path == "rules" || path == "subjects":
		for _, item := range items {
			l[path+"["+canonical(item)+"]"] = "present"
		}
	case keyOf(items) != "":
		key := keyOf(items)
		for _, item := range items {
			l.add(fmt.Sprintf("%s[%v]", path, item.(map[string]any)[key]), item)
		}
	default:
		for i, item := range items {
			l.add(fmt.Sprintf("%s[%d]", path, i), item)
		}
	}
}

// join extends a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// canonical spells a value in one way.
func canonical(value any) string {
	text, err := json.Marshal(value) // sorts the keys
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// keyOf is the field that names every item of a list, and each only once; empty when there is none.
func keyOf(items []any) string {
	for _, key := range []string{"mountPath", "name"} {
		var names []string
		for _, item := range items {
			m, _ := item.(map[string]any)
			if name, ok := m[key].(string); ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == len(items) {
			return key
		}
	}
	return ""
}

// repeatable are the flags of Flux controllers of which every use counts. Source: main.go of the controllers.
func repeatable() []string {
	return []string{"--override-manager", "--ssh-kex-algos", "--ssh-hostkey-algos"}
}

// addArgs adds the flags in force: of a repeated flag the last one, but all feature gates, and all values of repeatable
// flags.
func (l leaves) addArgs(path string, args []any) {
	for i, arg := range args {
		flag, value, hasValue := strings.Cut(fmt.Sprint(arg), "=")
		at := path + "[" + flag + "]"
		switch {
		case !strings.HasPrefix(flag, "--"):
			l[fmt.Sprintf("%s[%d]", path, i)] = arg
		case flag == "--feature-gates":
			for gate := range strings.SplitSeq(value, ",") {
				name, on, _ := strings.Cut(strings.TrimSpace(gate), "=")
				l[at+"["+name+"]"] = on
			}
		case slices.Contains(repeatable(), flag) && l[at] != nil:
			l[at] = fmt.Sprint(l[at], ",", value)
		case !hasValue:
			l[at] = "true"
		default:
			l[at] = value
		}
	}
}

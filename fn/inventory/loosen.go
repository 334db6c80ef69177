package inventory

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

// leniency says what a build may fail to find. Without what is opaque, such as a remote base, kustomize refuses everything
// that names an object of it, though Flux builds the same.
type leniency int

const (
	strict       leniency = iota
	patches               // a patch without a target, and replicas, may find no object
	replacements          // replacements are left out, and noted
)

// renderLoose builds dir, and where that fails beside something opaque, with less and less that must be found. What it returns
// is the first success, or the failure of the strict build.
func renderLoose(tree *snapshot, dir string, t transforms) *rendered {
	out := renderLean(tree, dir, t, strict)
	for _, allowed := range []leniency{patches, replacements} {
		if out.err == nil || len(out.opaque) == 0 {
			break
		}
		if loose := renderLean(tree, dir, t, allowed); loose.err == nil {
			maps.Copy(loose.trace, out.trace)
			return loose
		}
	}
	return out
}

// loosen makes patches without a target select their object, for a target may select nothing; they apply in the order in which
// kustomize applies them. Replicas change no identity.
func (c *cleaner) loosen(k map[string]any) {
	if c.allowed == strict {
		return
	}
	merges, _ := k["patchesStrategicMerge"].([]any)
	own, _ := k["patches"].([]any)
	var loose []any
	for _, entry := range merges {
		loose = append(loose, c.selecting(mergeEntry(entry))...)
	}
	for _, entry := range own {
		m, _ := entry.(map[string]any)
		loose = append(loose, c.selecting(m)...)
	}
	delete(k, "patchesStrategicMerge")
	delete(k, "replicas")
	if k["patches"] = loose; len(loose) == 0 {
		delete(k, "patches")
	}
	if list, _ := k["replacements"].([]any); c.allowed == replacements && len(list) > 0 {
		delete(k, "replacements")
		c.note(OpaqueUnknown, fmt.Sprintf("%d replacements", len(list)))
	}
	c.changed = true
	keepNonEmpty(k)
}

// mergeEntry is an entry of patchesStrategicMerge as one of patches: a path, or a patch given inline.
func mergeEntry(entry any) map[string]any {
	text, _ := entry.(string)
	if strings.Contains(text, "\n") {
		return map[string]any{"patch": text}
	}
	return map[string]any{"path": text}
}

// selecting is a patch with a target: one for each of its documents. One that has a target, or cannot be read, stays.
func (c *cleaner) selecting(entry map[string]any) []any {
	body, _ := entry["patch"].(string)
	if file, named := entry["path"].(string); named && file != "" {
		body = string(c.ask(rel(path.Join(mount, path.Dir(c.file), file))).content)
	}
	if entry["target"] != nil {
		return []any{entry}
	}
	var all []any
	for _, doc := range strings.Split("\n"+body, "\n---") {
		target, ok := objectOf(doc)
		if !ok {
			return []any{entry}
		}
		if target != nil {
			all = append(all, map[string]any{"patch": doc, "target": target})
		}
	}
	return all
}

// objectOf is the target that selects the object which a merge patch names; nil where the document is empty, not ok where it
// names none.
func objectOf(doc string) (target map[string]any, ok bool) {
	var m map[string]any
	if limit.Check([]byte(doc)) != nil || yaml.Unmarshal([]byte(doc), &m) != nil {
		return nil, false
	}
	if len(m) == 0 {
		return nil, true
	}
	group, _, grouped := strings.Cut(str(m, "apiVersion"), "/")
	if !grouped {
		group = ""
	}
	target = map[string]any{"group": group, "kind": str(m, "kind"), "name": regexp.QuoteMeta(str(m, "metadata", "name"))}
	if namespace := str(m, "metadata", "namespace"); namespace != "" {
		target["namespace"] = regexp.QuoteMeta(namespace)
	}
	return target, target["kind"] != "" && target["name"] != ""
}

package inventory

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"

	"migrate-to-flux-operator/fn/limit"
)

// leniency says what a build may fail to find. Without what is opaque, such as a remote base, kustomize refuses
// everything that names an object of it, though Flux builds the same.
type leniency int

const (
	strict       leniency = iota
	patches               // a patch without a target, and replicas, may find no object
	replacements          // replacements are left out, and noted
)

// renderLoose builds dir, and where that fails beside something opaque, with less and less that must be found. What it
// returns is the first success, or the failure of the strict build.
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

// loosen makes patches without a target select their object, for a target may select nothing; they apply in the order
// in which kustomize applies them. Replicas change no identity.
func (c *cleaner) loosen(k *types.Kustomization) {
	if c.allowed == strict {
		return
	}
	var loose []types.Patch
	//lint:ignore SA1019 repositories still have it, and kustomize reads it
	for _, merge := range k.PatchesStrategicMerge {
		if isPatch(string(merge)) {
			loose = append(loose, c.selecting(types.Patch{Patch: string(merge)})...)
		} else {
			loose = append(loose, c.selecting(types.Patch{Path: string(merge)})...)
		}
	}
	for _, own := range k.Patches {
		loose = append(loose, c.selecting(own)...)
	}
	//lint:ignore SA1019 as above
	k.PatchesStrategicMerge, k.Patches, k.Replicas = nil, loose, nil
	if n := len(k.Replacements); c.allowed == replacements && n > 0 {
		k.Replacements = nil
		c.note(OpaqueUnknown, fmt.Sprintf("%d replacements", n))
	}
	c.changed = true
}

// selecting is a patch with a target: one for each of its documents. One that has a target, or cannot be read, stays.
func (c *cleaner) selecting(patch types.Patch) []types.Patch {
	if patch.Target != nil {
		return []types.Patch{patch}
	}
	body := patch.Patch
	if patch.Path != "" {
		body = string(c.ask(rel(path.Join(mount, path.Dir(c.file), patch.Path))).content)
	}
	var all []types.Patch
	for _, doc := range strings.Split("\n"+body, "\n---") {
		target, ok := objectOf(doc)
		if !ok {
			return []types.Patch{patch}
		}
		if target != nil {
			all = append(all, types.Patch{Patch: doc, Target: target})
		}
	}
	return all
}

// objectOf is the target that selects the object which a merge patch names; nil where the document is empty, not ok
// where it names none.
func objectOf(doc string) (target *types.Selector, ok bool) {
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
	target = &types.Selector{ResId: resid.ResId{
		Gvk:       resid.Gvk{Group: group, Kind: str(m, "kind")},
		Name:      regexp.QuoteMeta(str(m, "metadata", "name")),
		Namespace: regexp.QuoteMeta(str(m, "metadata", "namespace")),
	}}
	return target, target.Kind != "" && target.Name != ""
}

package inventory

import (
	"maps"
	"reflect"
	"strings"
)

// Changed are the objects that the same Flux Kustomizations apply before and after, and not as they were. Those that
// differ by no more than a guard against deletion are apart.
func Changed(before, after *Inventory) (changed, guarded []Entry) {
	for _, is := range after.Entries {
		was, found := before.of(is.Owner, is.ID)
		if !found || was.object == is.object {
			continue
		}
		from, to := was.content(), is.content()
		switch {
		case reflect.DeepEqual(from, to):
		case reflect.DeepEqual(withoutGuards(from), withoutGuards(to)):
			guarded = append(guarded, is)
		default:
			changed = append(changed, is)
		}
	}
	return changed, guarded
}

// of is an object as one Flux Kustomization applies it.
func (inv *Inventory) of(owner Name, id ID) (Entry, bool) {
	for _, e := range inv.Find(id) {
		if e.Owner == owner {
			return e, true
		}
	}
	return Entry{}, false
}

// content is what the object says, with the metadata that its owner gives to all.
func (e Entry) content() map[string]any {
	content, err := e.object.content()
	if err != nil {
		return map[string]any{"unreadable": err.Error()}
	}
	metadata := maps.Clone(dig(content, "metadata"))
	metadata["labels"], metadata["annotations"] = e.Labels, e.Annotations
	return withField(content, "metadata", metadata)
}

// withoutGuards is an object without what keeps Flux from deleting it or what it applies.
func withoutGuards(content map[string]any) map[string]any {
	metadata := maps.Clone(dig(content, "metadata"))
	metadata["annotations"] = withoutGuard(metadata["annotations"])
	metadata["labels"] = withoutGuard(metadata["labels"])
	content = withField(content, "metadata", metadata)
	if content["kind"] != "Kustomization" || dig(content, "spec") == nil {
		return content
	}
	spec := maps.Clone(dig(content, "spec"))
	if common := maps.Clone(dig(spec, "commonMetadata")); common != nil {
		for _, field := range []string{"annotations", "labels"} {
			left := withoutGuard(stringMap(common[field]))
			if common[field] = left; len(left) == 0 {
				delete(common, field)
			}
		}
		if spec["commonMetadata"] = common; len(common) == 0 {
			delete(spec, "commonMetadata")
		}
	}
	if spec["deletionPolicy"] == "Orphan" {
		delete(spec, "deletionPolicy")
	}
	if spec["prune"] == false {
		spec["prune"] = true
	}
	return withField(content, "spec", spec)
}

// withoutGuard are annotations or labels without the guard.
func withoutGuard(metadata any) map[string]string {
	all, _ := metadata.(map[string]string)
	all = maps.Clone(all)
	if strings.EqualFold(all[PruneKey], Disabled) {
		delete(all, PruneKey)
	}
	if all == nil {
		all = map[string]string{}
	}
	return all
}

package inventory

import (
	"maps"
	"reflect"
)

// Changed are the objects that the same Flux Kustomizations apply before and after, and not as they were.
func Changed(before, after *Inventory) []Entry {
	var changed []Entry
	for _, is := range after.Entries {
		was, found := before.of(is.Owner, is.ID)
		if found && was.object != is.object && !reflect.DeepEqual(was.content(), is.content()) {
			changed = append(changed, is)
		}
	}
	return changed
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

package migrate

import (
	"path"
	"slices"
	"strings"

	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/reason"
)

// addEntry appends an entry to resources, in the style of the entries that are there.
func addEntry(kustomization *object.Object, entry string) error {
	resources := classic.TextsIn(kustomization.Map(), "resources")
	if slices.ContainsFunc(resources, func(e string) bool { return path.Clean(e) == path.Clean(entry) }) {
		return nil
	}
	if len(resources) > 0 && strings.HasPrefix(resources[len(resources)-1], "./") && !strings.HasPrefix(entry, "../") {
		entry = "./" + entry
	}
	return kustomization.EditNode(func(k *kyaml.RNode) error {
		list, err := reason.With(k.Pipe(kyaml.LookupCreate(kyaml.SequenceNode, "resources")))
		if err != nil {
			return err
		}
		content := list.YNode().Content
		added := kyaml.NewStringRNode(entry).YNode()
		if len(content) > 0 {
			added.Style = content[len(content)-1].Style
		}
		list.YNode().Content = append(content, added)
		return nil
	})
}

// dropEntry removes the entries that name a file or folder from every kustomization.yaml of the set. A
// kustomization.yaml that is left with nothing to apply goes as well, and with it the entries that name its folder:
// kustomize refuses an empty one.
func dropEntry(set *object.Set, file string) error {
	for _, k := range set.Of(classic.ConfigGroup, "Kustomization") {
		dir := path.Dir(k.File)
		changed, err := dropFrom(k, func(entry string) bool { return path.Join(dir, entry) == file })
		if err != nil {
			return err
		}
		if changed && appliesNothing(k) {
			set.Remove(k)
			if err := dropEntry(set, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropFrom removes the entries that match; an emptied list goes.
func dropFrom(k *object.Object, match func(string) bool) (changed bool, err error) {
	for _, field := range classic.EntryFields {
		if !slices.ContainsFunc(classic.TextsIn(k.Map(), field), match) {
			continue
		}
		changed = true
		if err := k.EditNode(func(node *kyaml.RNode) error { return dropScalars(node, field, match) }); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// dropScalars takes elements out of a list; the others keep their comments.
func dropScalars(node *kyaml.RNode, field string, match func(string) bool) error {
	list, err := reason.With(node.Pipe(kyaml.Lookup(field)))
	if err != nil || list == nil {
		return err
	}
	list.YNode().Content = slices.DeleteFunc(list.YNode().Content, func(e *kyaml.Node) bool { return match(e.Value) })
	if len(list.YNode().Content) == 0 {
		return reason.Of(node.PipeE(kyaml.Clear(field)))
	}
	return nil
}

// appliesNothing reports whether a kustomization.yaml has no list left that yields objects.
// Source: kustomize.config.k8s.io/v1beta1 of kustomize v5.8.
func appliesNothing(k *object.Object) bool {
	return !slices.ContainsFunc(append([]string{"configMapGenerator", "secretGenerator", "generators", "helmCharts"},
		classic.EntryFields...), func(field string) bool {
		list, _ := object.Get[[]any](k.Map(), field)
		return len(list) > 0
	})
}
